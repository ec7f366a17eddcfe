"""The strict reading of a config's text, before confection sees it.

The language is the part of confection's (and configparser's) that cannot be misread: `[section]` and `key = value`
lines, comments on lines of their own, and values that go on over lines indented deeper than their key. Everything
confection would swallow or trip over is a mistake with its line, and all of them are found in one pass.
"""

from __future__ import annotations

import codecs
import re

from trainer_cli.config.document import GUESSED, MAX_BYTES, MAX_DEPTH, Document, Entry, Origin, Section
from trainer_cli.config.scalars import BadValueError
from trainer_cli.config.values import parse
from trainer_cli.config.words import shorten
from trainer_cli.errors import ConfigError, Problem

PART = r"(?:\*|\w[\w-]*)"
SECTION = re.compile(rf"{PART}(?:\.{PART})*")
KEY = re.compile(r"@?\w[\w-]*|\*")
HEADER = re.compile(r"\[+([^\]#;]*)")
INDENTED_HEADER = re.compile(rf"\[[^\W\d][\w-]*(?:\.{PART})*\]")
LETTERS = re.compile(r"@?\w[\w-]*")
LINE = re.compile(r"^[ \t]*[^\s#;]", re.MULTILINE)
LIKE_CONFIG = re.compile(r"^[ \t]*(?:\[|@?\w[\w-]*[ \t]*=)", re.MULTILINE)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")
NEWLINE = re.compile(r"\r\n?")
OTHER_ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def decode(data: bytes | str, path: str) -> str:
    """The text of a config file: UTF-8, with or without a byte order mark; anything else is a ConfigError."""

    def refuse(message: str, line: int = 0) -> ConfigError:
        return ConfigError(problems=[Problem(message, path, line)])

    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if len(data) > MAX_BYTES:
        raise refuse(f"a config may have {MAX_BYTES} bytes, this file has {len(data)}")
    for mark, name in OTHER_ENCODINGS.items():
        if data.startswith(mark):
            raise refuse(f"the file is written in {name}. Save it as UTF-8", 1)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = data.count(b"\n", 0, err.start) + 1
        raise refuse(f"byte 0x{data[err.start]:02x} is not UTF-8. Save the file as UTF-8", line) from None
    text = NEWLINE.sub("\n", text)
    if (found := CONTROL.search(text)) is not None:
        message = f"the file holds the control character U+{ord(found[0]):04X}. Is it a text file?"
        raise refuse(message, text.count("\n", 0, found.start()) + 1)
    return text


def scan(text: str, path: str) -> Document:
    """Read a config's text into sections and entries, with every value parsed; mistakes go to `problems`.

    ConfigError: no line of it looks like one of a config.
    """
    if LINE.search(text) and not LIKE_CONFIG.search(text):
        raise ConfigError(
            problems=[
                Problem(
                    "no line is a [section]; is this file a config? For a data file, trainer init-config writes one",
                    path,
                    1,
                )
            ]
        )
    scanner = Scanner(Document(path, text))
    for number, line in enumerate(text.split("\n"), 1):
        scanner.take(number, line)
    return scanner.finish()


class Scanner:
    """Takes one line after the other; `entry` is the one that an indented line would continue."""

    def __init__(self, document: Document):
        self.document = document
        self.origin = Origin("file", document.path)
        self.section: Section | None = None
        self.entry: Entry | None = None
        self.indent = 0
        self.comments: list[str] = []

    def take(self, number: int, line: str) -> None:
        content = line.strip(" \t")
        indent = len(line) - len(line.lstrip(" \t"))
        if not content:
            return
        if content[0] in "#;":
            self.comments.append(content)
        elif self.entry is not None and indent > self.indent and not self.is_indented_header(content):
            self.entry.raw += "\n" + content
            self.entry.lines.append(number)
        elif content[0] == "[":
            self.header(number, content, is_indented=self.entry is not None and indent > self.indent)
        else:
            self.key_value(number, content, indent)

    def is_indented_header(self, content: str) -> bool:
        """Whether an indented line is a [section] after all, since the value above is complete."""
        if self.entry is None or not INDENTED_HEADER.fullmatch(content) or not self.entry.raw:
            return False
        raw = self.entry.raw
        return raw[0] not in "[{" or (raw.count("[") == raw.count("]") and raw.count("{") == raw.count("}"))

    def header(self, number: int, content: str, is_indented: bool = False) -> None:
        self.entry = None
        name = guess_section(content)
        wrong = explain_header(content, name)
        if is_indented:
            wrong = f"the section {shorten(content)} is indented: begin the line at the margin"
        if wrong is not None:
            self.document.complain(wrong, number)
            self.document.guessed.add(name)
        known = self.document.sections.get(name)
        if known is not None:
            self.document.complain(f"the section [{name}] is already on line {known.line}", number)
        self.section = known or Section(name, number, self.origin, comments=self.pop_comments())
        # A section whose name is beyond guessing is kept out, so that its keys are not reported as well.
        if name:
            self.document.sections[name] = self.section

    def key_value(self, number: int, content: str, indent: int) -> None:
        key, equals, raw = (part.strip(" \t") for part in content.partition("="))
        # Whatever is wrong with the line, lines indented below it belong to it.
        self.entry, self.indent = Entry(key, raw, [number], self.origin), indent
        wrong = explain_key(key, bool(equals), content, self.section)
        if wrong is None and self.section is None:
            wrong = f"the key {key} stands before the first [section]"
        if self.section is None:
            self.section = Section("", number, self.origin)
            self.document.guessed.add("")
        if wrong is not None:
            self.document.complain(wrong, number)
            self.guess_key(content, bool(equals), self.section)
        elif key in self.section.entries:
            known = self.section.entries[key]
            where = f"{self.section.name}.{key}".removeprefix(".")
            self.document.complain(f"is already set on line {known.lines[0]}", number, where)
        else:
            self.entry.comments = self.pop_comments()
            self.section.entries[key] = self.entry

    def guess_key(self, content: str, has_equals: bool, section: Section) -> None:
        """Keep the key of a line like `key: value`, so that it is not reported as missing."""
        found = LETTERS.match(content)
        if found and not has_equals and self.entry is not None:
            self.entry.key, self.entry.value = found[0], GUESSED
            section.entries.setdefault(found[0], self.entry)

    def pop_comments(self) -> list[str]:
        comments, self.comments = self.comments, []
        return comments

    def finish(self) -> Document:
        document = self.document
        document.tail = self.comments
        document.add_parents()
        refuse_conflicts(document)
        for section, entry in document.entries():
            parse_entry(document, section, entry)
        return document


def parse_entry(document: Document, section: Section, entry: Entry) -> None:
    if entry.value is GUESSED:
        return
    try:
        entry.value = parse(entry.raw)
    except BadValueError as err:
        document.problems.append(document.problem(f"{section.name}.{entry.key}", str(err), err.offset))


def refuse_conflicts(document: Document) -> None:
    """A key and a section of the same name: the section stays."""
    for name, section in document.sections.items():
        parent, _, key = name.rpartition(".")
        if parent and (entry := document.sections[parent].entries.pop(key, None)) is not None:
            document.complain(f"is already set on line {entry.lines[0]}", section.line, name)


def guess_section(content: str) -> str:
    """The name that a line beginning with [ is meant to give, or an empty text."""
    found = HEADER.match(content)
    name = re.sub(r"[^\w.*-]", "", found[1]) if found else ""
    return name if SECTION.fullmatch(name) and name != "DEFAULT" and name.count(".") < MAX_DEPTH else ""


def explain_header(content: str, name: str) -> str | None:
    """What is wrong with a line that should be `[name]`, or None."""
    if name and content == f"[{name}]":
        return None
    if content == "[DEFAULT]":
        return "[DEFAULT] has no meaning here: what sections share is written ${section.key}"
    if content.count(".") >= MAX_DEPTH:
        return f"sections are nested deeper than {MAX_DEPTH}"
    if name and content.startswith(f"[{name}]"):
        return f"a section stands alone on its line. Did you mean [{name}]? A comment needs a line of its own"
    meant = f". Did you mean [{name}]?" if name else ""
    return f"expected a section like [optimizer.learn_rate], got {shorten(content)}{meant}"


def explain_key(key: str, has_equals: bool, content: str, section: Section | None) -> str | None:
    """What is wrong with a line that should be `key = value`, or None."""
    if content[0] in "]}":
        return f"indent the line, so that {content[0]} belongs to the value above"
    if not has_equals:
        return f"expected [section] or key = value, got {shorten(content)}{colon(content)}"
    if KEY.fullmatch(key):
        return None
    if KEY.fullmatch(key.partition(".")[0]) and SECTION.fullmatch(key):
        below, _, last = f"{section.name if section else ''}.{key}".strip(".").rpartition(".")
        return f"a key has no dots. Did you mean {shorten(last)} in the section [{shorten(below)}]?"
    return f"expected a key of letters, digits, _ and - before =, got {shorten(key) or 'nothing'}{colon(content)}"


def colon(content: str) -> str:
    key, found, value = content.partition(":")
    is_key = found and KEY.fullmatch(key.strip(" \t"))
    return f". Did you mean {shorten(f'{key.strip()} = {value.strip()}')}?" if is_key else ""
