"""Which language does a prompt ask for, when the item does not say?

The one it names ("Answer in French", "用中文回答", "auf Deutsch"), the last one
if it names several; else the one it is written in, by most of its words. None
when neither is a supported language: nothing is guessed. Not covered:
requests for a language in a language other than English, Chinese and the
named one itself, unless English is asked for; the output of a translation,
which says nothing about the language to think in.
"""

from __future__ import annotations

import re

from verifier.language import prose, spans

_ENGLISH_NAMES = {
    "english": "en",
    "chinese": "zh",
    "mandarin": "zh",
    "japanese": "ja",
    "korean": "ko",
    "russian": "ru",
    "arabic": "ar",
    "hindi": "hi",
    "german": "de",
    "french": "fr",
    "spanish": "es",
    "portuguese": "pt",
    "italian": "it",
    "greek": "el",
    "vietnamese": "vi",
    "thai": "th",
    "hebrew": "he",
    "ukrainian": "uk",
    "dutch": "nl",
    "polish": "pl",
    "turkish": "tr",
}
_CHINESE_NAMES = {
    "中文": "zh",
    "汉语": "zh",
    "简体中文": "zh",
    "繁體中文": "zh",
    "英文": "en",
    "英语": "en",
    "英語": "en",
    "日语": "ja",
    "日文": "ja",
    "韩语": "ko",
    "韩文": "ko",
    "俄语": "ru",
    "阿拉伯语": "ar",
    "印地语": "hi",
    "德语": "de",
    "法语": "fr",
    "西班牙语": "es",
    "葡萄牙语": "pt",
    "意大利语": "it",
    "希腊语": "el",
    "越南语": "vi",
    "泰语": "th",
    "希伯来语": "he",
    "乌克兰语": "uk",
    "荷兰语": "nl",
    "波兰语": "pl",
    "土耳其语": "tr",
}
_PHRASES = {
    "auf deutsch": "de",
    "en français": "fr",
    "en español": "es",
    "em português": "pt",
    "in italiano": "it",
    "in het nederlands": "nl",
    "po polsku": "pl",
    "türkçe olarak": "tr",
    "bằng tiếng việt": "vi",
    "на русском": "ru",
    "по-русски": "ru",
    "українською": "uk",
    "στα ελληνικά": "el",
    "بالعربية": "ar",
    "باللغة العربية": "ar",
    "בעברית": "he",
    "हिंदी में": "hi",
    "हिन्दी में": "hi",
    "한국어로": "ko",
    "日本語で": "ja",
    "เป็นภาษาไทย": "th",
    "auf englisch": "en",
    "en anglais": "en",
    "en inglés": "en",
    "em inglês": "en",
    "in inglese": "en",
    "in het engels": "en",
    "po angielsku": "en",
    "ingilizce olarak": "en",
    "bằng tiếng anh": "en",
    "на английском": "en",
    "по-английски": "en",
    "англійською": "en",
    "στα αγγλικά": "en",
    "بالإنجليزية": "en",
    "باللغة الإنجليزية": "en",
    "באנגלית": "en",
    "अंग्रेज़ी में": "en",
    "영어로": "en",
    "英語で": "en",
    "เป็นภาษาอังกฤษ": "en",
}
_NAMED = _ENGLISH_NAMES | _CHINESE_NAMES | _PHRASES

REACH = 60
"""Characters from the verb of an English request to the language: one clause."""


def _any(names: dict[str, str]) -> str:
    return "|".join(sorted(map(re.escape, names), key=len, reverse=True))


# The verb is of answering: "say it in French" and "translate" ask about a language, and without
# "in" most verbs do too ("explain the French revolution", "use French verbs").
_REQUEST = re.compile(
    r"(?P<no>\b(?:not|never) |n['’]t )?"
    r"\b(?:(?:answer|reply|respond|response|write|explain|think|reason|solve|work|speak|use)\b"
    rf"[^.!?\n]{{0,{REACH}}}?\b(?:in|using)|(?P<bare>speak|use|write)) (?:only )?(?:the )?"
    rf"(?:simplified |traditional |plain )?(?P<english>{_any(_ENGLISH_NAMES)})\b"
    r"(?(bare)(?= language\b| only\b| to\b| for\b| when\b| in (?:your|the|all)\b| throughout\b"
    r"|\W*$|[.,;:!?)]))"
    rf"|(?P<bu>不要|别)?(?:请)?[用以](?P<chinese>{_any(_CHINESE_NAMES)})"
    "来?(?:回答|作答|答|解|思考|推理|回复|写|说明|描述|输出)"
    rf"|(?<!\w)(?P<phrase>{_any(_PHRASES)})"
)


def detect(prompt: str) -> str | None:
    """The supported language that `prompt` asks for."""
    return _requested(prompt) or _written(prompt)


def _requested(prompt: str) -> str | None:
    language = None
    for found in _REQUEST.finditer(prompt.lower()):
        if not found["no"] and not found["bu"]:
            language = _NAMED[found["english"] or found["chinese"] or found["phrase"]]
    return language


def _written(prompt: str) -> str | None:
    lowered = prose.strip(prompt).prose
    counts = prose.by_script(lowered)
    script = max(counts, key=counts.__getitem__)
    return spans.main_language(lowered, script) if counts[script] else None
