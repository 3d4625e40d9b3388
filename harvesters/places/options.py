"""What a source is told so that its folder can be reached."""

from __future__ import annotations

from marshmallow import Schema, fields, validate


class PlaceOptions(Schema):
    """Users, passwords and keys of the servers that folders lie on."""

    user = fields.String(
        load_default="",
        metadata={"description": "User of the server; of S3 the access key"},
    )
    password = fields.String(
        load_default="",
        metadata={"secret": True, "description": "Password of the user, or of the private key"},
    )
    private_key = fields.String(
        load_default="",
        metadata={"secret": True, "description": "Private key for SFTP, in PEM or OpenSSH's form"},
    )
    host_key = fields.String(
        load_default="",
        metadata={"description": "Fingerprint of the key that the SFTP server shows (SHA256:…)"},
    )
    encoding = fields.String(
        load_default="utf-8",
        validate=validate.OneOf(["utf-8", "gb18030", "latin-1"]),
        metadata={"description": "Encoding of file names on an FTP server"},
    )
    endpoint = fields.String(
        load_default="",
        metadata={"description": "Address of the S3-compatible storage; that of Amazon without it"},
    )
    region = fields.String(
        load_default="us-east-1",
        validate=validate.Regexp(r"^[a-z0-9-]{1,40}$"),
        metadata={"description": "Region of the S3-compatible storage"},
    )
