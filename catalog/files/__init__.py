"""Files that the portal keeps: a port and its adapters."""

from catalog.files.store import FileStore, LocalFiles, file_store

__all__ = ["FileStore", "LocalFiles", "file_store"]
