"""What mails say, in the languages of the portal; mails are written where no page is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """A mail's subject and text."""

    subject: str
    text: str


_TEXTS = {
    "reset": {
        "zh": (
            "重新设置您在“{site}”的密码",
            (
                "您好，{name}：\n\n有人（应当是您本人）请求重新设置您在“{site}”的密码。请在一小时内打开下面的"
                "地址，设置新密码：\n\n{address}\n\n如果不是您本人的操作，请忽略本邮件，您的密码不会改变。\n"
            ),
        ),
        "en": (
            "Set a new password at {site}",
            (
                "Hello {name},\n\nsomebody, hopefully you, asked for a new password at {site}. Open this address within "
                "an hour to set one:\n\n{address}\n\nIf it was not you, ignore this mail: your password stays as it is.\n"
            ),
        ),
    },
    "invitation": {
        "zh": (
            "邀请您加入“{site}”的“{organization}”",
            (
                "您好：\n\n{inviter}邀请您以“{role}”的身份加入“{site}”的“{organization}”。请在七天内打开下面的地址"
                "接受邀请：\n\n{address}\n\n如果您不认识邀请人，请忽略本邮件。\n"
            ),
        ),
        "en": (
            "You are invited to {organization} at {site}",
            (
                "Hello,\n\n{inviter} invites you to {organization} at {site}, as {role}. Open this address within seven "
                "days to accept:\n\n{address}\n\nIf you do not know who invites you, ignore this mail.\n"
            ),
        ),
    },
    "welcome": {
        "zh": (
            "邀请您加入“{site}”的“{title}”",
            (
                "您好：\n\n{inviter}在“{site}”为您开通了账户，您已是“{title}”的成员。请在七天内打开下面的地址，设置您的密码并"
                "登录：\n\n{address}\n\n地址只能使用一次。过期后可在登录页面点击“忘记密码”。如果您不认识邀请人，请忽略本邮件。\n"
            ),
        ),
        "en": (
            "You are invited to {title} at {site}",
            (
                "Hello,\n\n{inviter} has made an account for you at {site}; you are a member of {title}. Open this address within seven "
                "days to choose your password and sign in:\n\n{address}\n\nIt works once. After that time ask for another password where "
                "one signs in. If you do not know who invites you, ignore this mail.\n"
            ),
        ),
    },
    "search": {
        "zh": (
            "“{name}”有 {count} 个新的或有更新的数据集",
            (
                "您在“{site}”保存的搜索“{name}”，自上次通知以来有 {count} 个新的或有更新的数据集：\n\n{items}\n\n"
                "查看全部结果：{address}\n\n不再接收此搜索的邮件：{unsubscribe}\n"
            ),
        ),
        "en": (
            "{name}: {count} new or changed",
            (
                "Your saved search “{name}” at {site} has datasets that are new or changed since the last mail: {count}\n\n"
                "{items}\n\nAll results: {address}\n\nNo more mails of this search: {unsubscribe}\n"
            ),
        ),
    },
}
ROLES = {
    "zh": {"member": "成员", "editor": "编辑", "publisher": "发布者"},
    "en": {"member": "a member", "editor": "an editor", "publisher": "a publisher"},
}


def reset(language: str, *, site: str, name: str, address: str) -> Words:
    """How to set another password."""
    return _filled("reset", language, site=site, name=name, address=address)


def invitation(
    language: str, *, site: str, inviter: str, organization: str, role: str, address: str
) -> Words:
    """How to accept an invitation to an organization."""
    return _filled(
        "invitation",
        language,
        site=site,
        inviter=inviter,
        organization=organization,
        role=ROLES[_known(language)][role],
        address=address,
    )


def welcome(language: str, *, site: str, inviter: str, title: str, address: str) -> Words:
    """How to choose a password for an account that somebody has made for one."""
    return _filled("welcome", language, site=site, inviter=inviter, title=title, address=address)


def search(
    language: str,
    *,
    site: str,
    name: str,
    count: int,
    items: Sequence[tuple[str, str]],
    address: str,
    unsubscribe: str,
) -> Words:
    """What is new in a saved search: titles with their addresses."""
    listed = "\n\n".join(f"{title}\n{link}" for title, link in items)
    if count > len(items):
        listed += "\n\n…"
    return _filled(
        "search",
        language,
        site=site,
        name=name,
        count=str(count),
        items=listed,
        address=address,
        unsubscribe=unsubscribe,
    )


def _filled(kind: str, language: str, **places: str) -> Words:
    subject, text = _TEXTS[kind][_known(language)]
    return Words(subject.format(**places), text.format(**places))


def _known(language: str) -> str:
    return language if language in ROLES else "en"
