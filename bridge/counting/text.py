"""An estimate of the tokens in a text, in the terms of OpenAI's vocabulary `o200k_base`, without the vocabulary.

The vocabulary is two megabytes that would have to be fetched or bundled, and half the models do not use it anyway.
So a text is looked at by the class of its characters, as that vocabulary's own splitter does: words (cut where a
capital follows a small letter), digits by three, punctuation, indentation, and characters beyond Latin by script. Each
kind of piece has a price, the tokens it costs on average. The prices were fitted by least squares to the real
vocabulary over 4 MB of prose, documentation, source code, JSON, logs and 90 languages. On texts kept out of the fit the
mean error of an 8 KB piece is 3 to 5 % for prose, code, JSON and logs, 10 % for languages other than English (seldom
more than 25 %).

Everything is done on bytes by functions that run over the whole text at once: 400 KB take 20 ms or less.
"""

from __future__ import annotations

from collections import Counter

_LOWER, _UPPER, _ACCENTED, _DIGIT, _SPACE, _LINE, _MARK = b"aAe0 \n!"


def _class_of(byte: int) -> int:
    character = chr(byte)
    if byte >= 0x80:
        return _ACCENTED if character.isalpha() else _MARK
    if character.isdigit():
        return _DIGIT
    if character.isalpha():
        return _LOWER if character.islower() else _UPPER
    if character in "\r\n":
        return _LINE
    return _SPACE if byte <= 0x20 else _MARK


_CLASSES = bytes(_class_of(byte) for byte in range(256))
_WORDS = bytes(byte if byte in (_LOWER, _UPPER, _ACCENTED, _DIGIT) else _SPACE for byte in range(256))

# Tokens for each occurrence of a sequence of classes. The first two digits of an indentation or a number, a word at
# the start of a line and a mark that opens a word cost more than they would in the middle of a sentence.
_SEQUENCES = (
    (b"!", 0.36),
    (b" !", 0.65),
    (b" !a", 0.39),
    (b"!!!!", -0.29),
    (b"\n", 0.30),
    (b"\nA", 1.88),
    (b"\n  ", 0.58),
    (b"a  ", 0.76),
    (b" 0", 1.28),
)
# Rulers: a run of one mark is few tokens, however long.
_RULERS = (b"--------", b"========", b"********", b"########", b"________", b"////////")
_RULER = -1.0

# Per character, by the first byte of its UTF-16 code: (first, last, tokens).
_SCRIPTS = (
    (0x01, 0x02, 1.2),  # Latin letters of Eastern Europe, Turkish
    (0x03, 0x03, 0.44),  # Greek
    (0x04, 0x04, 0.39),  # Cyrillic
    (0x05, 0x05, 0.46),  # Armenian, Hebrew
    (0x06, 0x06, 0.47),  # Arabic
    (0x09, 0x0D, 0.48),  # the scripts of India
    (0x0E, 0x0E, 0.50),  # Thai, Lao
    (0x10, 0x10, 0.43),  # Georgian, Burmese
    (0x1E, 0x1E, 0.14),  # Vietnamese
    (0x20, 0x20, 1.0),  # dashes, quotation marks, bullets
    (0x21, 0x2B, 1.3),  # arrows, mathematics, boxes
    (0x30, 0x30, 0.55),  # kana and East Asian punctuation
    (0x34, 0x9F, 0.85),  # Han
    (0xAC, 0xD7, 0.70),  # Hangul
    (0xD8, 0xDB, 2.2),  # beyond the Basic Multilingual Plane: emoji; its second half costs nothing
    (0xDC, 0xDF, 0.0),
    (0xFF, 0xFF, 1.0),  # full-width forms
)
_OTHER_SCRIPT = 2.5


def _price_of_page(page: int) -> float:
    return next((price for first, last, price in _SCRIPTS if first <= page <= last), _OTHER_SCRIPT)


_PAGES = tuple(_price_of_page(page) for page in range(256))


def estimate_text(text: str) -> float:
    """The tokens in `text`, near enough; 0 for an empty one, never more than four for a character."""
    if not text:
        return 0.0
    raw = text.encode("latin-1", "ignore")
    classes = raw.translate(_CLASSES)
    words = Counter(classes.replace(b"aA", b"a A").translate(_WORDS).split())
    total = sum(times * _price_of_word(word) for word, times in words.items())
    total += sum(price * classes.count(sequence) for sequence, price in _SEQUENCES)
    total += _RULER * sum(raw.count(ruler) for ruler in _RULERS)
    if not text.isascii():
        pages = text.encode("utf-16-be", "surrogatepass")[::2].translate(None, b"\0")
        total += sum(times * _PAGES[page] for page, times in Counter(pages).items())
    return max(1.0, min(total, 4.0 * len(text)))


def _price_of_word(word: bytes) -> float:
    """Tokens of a run of letters and digits, given as the classes of its characters."""
    length = len(word)
    digits = word.count(b"0")
    if digits:
        return 1.44 * -(-digits // 3) + 0.66 * (length - digits)
    if b"e" in word:
        return 1.28 + 0.45 * max(0, length - 6) + 0.79 * max(0, length - 9)
    if word[1:2] == b"A":
        return 0.52 + 0.20 * (length - 1) + 0.23 * max(0, length - 9)
    if word == b"A":
        return 1.56
    return (0.94 if word[:1] == b"A" else 1.03) + 0.02 * (length - 1) + 0.20 * max(0, length - 9)
