"""What the simulated models say: short texts about the question, the same one every time for the same question."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.simulator.generate.images import Image

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_PIECES = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]{1,2}[，。！？；：、]?|[^\s\u3040-\u30ff\u4e00-\u9fff]+\s*|\s+")
_EXACTLY = re.compile(
    r"(?:reply|respond|answer|say)\s*(?:back\s*)?(?:with|in)?\s*(?:exactly|only|just|the (?:single )?word|the text)"
    r"(?:\s+(?:with|the (?:single )?word|the text|this))*\s*[:：]?\s*[\"'`“]?(?P<text>[^\"'`”\n]+)",
    re.IGNORECASE,
)
_EXACTLY_ZH = re.compile(r"(?:只|仅)(?:需|用|要)?(?:回复|回答|说|输出)\s*[:：]?\s*[“\"]?(?P<text>[^”\"\n。]+)")
_LEAD_ZH = re.compile(
    r"^(?:请问|请|帮我|麻烦)?(?:解释一下|介绍一下|解释|介绍|说说|说明|告诉我|什么是|如何|怎么|怎样|为什么)?"
)
_GREETING = re.compile(r"^\W*(hello|hi|hey|good (?:morning|evening|day)|你好|您好|嗨)\W*$", re.IGNORECASE)
_STOPWORDS = frozenset(
    re.findall(
        "[a-z]+",
        "a about after also an and any are be because been but can could do does doing explain for from "
        "give has have help here how i in into is it its just like make many may me more most much must "
        "my not of on one only or our out over please say sentence sentences short should show so some "
        "tell than that the their them then there these they this those through to too use using very "
        "was we were what when where which while who why will with word words would write you your",
    )
)
_OPENERS = (
    "You asked about {topic}; here is the gist of it.",
    "{Topic} is easiest to follow one step at a time.",
    "A short answer about {topic}, then.",
    "Let us look at {topic} without hurry.",
)
_MIDDLES = (
    "Start from {first}, because everything else builds on it.",
    "Once {first} is clear, {second} follows with little effort.",
    "Most surprises come from mixing up {first} and {second}, so keep them apart.",
    "A small example with {first} usually says more than a long definition.",
    "If {second} gets in the way, look at {first} on its own first.",
    "In practice one begins with {first} and checks {second} at the end.",
    "What {first} is not helps as much as what it is.",
)
_CLOSERS = (
    "That is all the bundled simulator knows about it; a real model would go on from here.",
    "This sample answer comes from the bundled simulator and was streamed word by word.",
    "Ask the same thing again and the simulator will give you the very same answer.",
)
_OPENERS_ZH = (
    "关于“{topic}”，可以先从整体说起。",
    "你问的是“{topic}”，下面简单说明一下。",
    "“{topic}”其实可以分成几步来看。",
)
_MIDDLES_ZH = (
    "首先把“{first}”弄清楚，其余部分就容易理解了。",
    "实际操作时，建议先做一个小例子，再逐步扩展。",
    "常见的误区是一开始就追求完整，反而忽略了“{first}”。",
    "如果遇到困难，可以回到“{first}”重新检查一遍。",
)
_CLOSERS_ZH = (
    "这是内置模拟器给出的示例回答，真实模型会讲得更深入。",
    "同样的问题再问一次，模拟器会给出完全相同的回答。",
)


def is_chinese(text: str) -> bool:
    return len(_CHINESE.findall(text)) * 4 >= len(text.replace(" ", "")) > 0


def topic_of(question: str) -> str:
    """A few words that stand for the question."""
    if is_chinese(question):
        head = re.split(r"[。！？?\n，,]", question.strip())[0]
        return _LEAD_ZH.sub("", head)[:20] or question[:20]
    words = _keywords(question)
    return " ".join(words[:4]) or "this"


def about(question: str) -> str:
    """Two to five sentences about the question, in Chinese when it is; or exactly what it asks to be said."""
    for pattern in (_EXACTLY, _EXACTLY_ZH):
        if found := pattern.search(question):
            return found["text"].strip().rstrip(".!") or "OK"
    chinese = is_chinese(question)
    if not question.strip():
        return "I have nothing to go on yet. What would you like to know?"
    if _GREETING.match(question):
        return "你好！我是内置模拟器，请随便问我一个问题。" if chinese else (
            "Hello! I am the bundled simulator, standing in for a real model. Ask me anything."
        )  # fmt: skip
    words = _keywords(question)
    middles = _MIDDLES if len(words) > 1 else tuple(text for text in _MIDDLES if "{second}" not in text)
    banks = (_OPENERS_ZH, _MIDDLES_ZH, _CLOSERS_ZH) if chinese else (_OPENERS, middles, _CLOSERS)
    dice = hashlib.blake2b(question.encode(), digest_size=8).digest()
    first_at = dice[1] % len(banks[1])
    sentences = [banks[0][dice[0] % len(banks[0])], banks[1][first_at]]
    for extra in range(dice[2] % 3):
        sentences.append(banks[1][(first_at + 1 + extra) % len(banks[1])])
    sentences.append(banks[2][dice[3] % len(banks[2])])
    topic = topic_of(question)
    names = {
        "topic": topic,
        "Topic": topic[:1].upper() + topic[1:],
        "first": (words or [topic])[0],
        "second": (words or [topic])[-1],
    }
    if chinese:
        names["first"] = topic[:8]
    return ("" if chinese else " ").join(sentences).format(**names)


def about_results(question: str, results: Sequence[str]) -> str:
    """A text that quotes what the tools returned."""
    chinese = is_chinese(question)
    quotes = [_excerpt(result) for result in results]
    if chinese:
        return "工具返回的结果是：" + "；".join(f"“{quote}”" for quote in quotes) + "。你的请求已经处理完毕。"
    lead = "The tool returned: " if len(quotes) == 1 else "The tools returned: "
    return lead + "; ".join(f'"{quote}"' for quote in quotes) + ". That settles what you asked for."


def about_images(images: Sequence[Image], *, chinese: bool) -> str:
    """What the pictures are: media type and pixel size."""
    listed = "; ".join(str(image) for image in images)
    if chinese:
        return f"我看到{len(images)}张图片：{listed}。"
    return f"I can see {'one image' if len(images) == 1 else f'{len(images)} images'}: {listed}."


def thoughts(question: str) -> str:
    """The reasoning shown before an answer."""
    topic = topic_of(question)
    if is_chinese(question):
        return f"用户想了解“{topic}”。先确认要点，再给出简短的回答。"
    return f"The user wants to know about {topic}. Let me settle what matters most, then answer briefly and plainly."


def before_call(question: str, tool: str) -> str:
    """What is said before a tool is called."""
    return f"我来调用 {tool}。" if is_chinese(question) else f"Let me use {tool} for that."


def pieces_of(text: str) -> list[str]:
    """The text cut into words (or pairs of Chinese characters) that together are the text."""
    return _PIECES.findall(text)


def _keywords(text: str) -> list[str]:
    words = re.findall(r"[A-Za-z][\w+#.'-]*[\w+#]|[A-Z]\b|\d+", text)
    kept = [word for word in words if word.lower() not in _STOPWORDS]
    return list(dict.fromkeys(kept))


def _excerpt(result: str) -> str:
    line = " ".join(result.split())
    return line if len(line) <= 300 else line[:297] + "..."
