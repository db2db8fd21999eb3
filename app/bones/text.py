"""Text from users, files and links, made safe to show."""

from __future__ import annotations

import re

MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|~<>$:&])")


def plain(text: str) -> str:
    """Text with every mark escaped that Markdown, HTML or KaTeX would read; line breaks become spaces.

    Example:
        >>> plain("<b>$x$</b>")
        '\\\\<b\\\\>\\\\$x\\\\$\\\\</b\\\\>'
    """
    return MARKS.sub(r"\\\1", " ".join(text.split()))
