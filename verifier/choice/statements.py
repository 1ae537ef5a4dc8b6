r"""Sentences that commit themselves to a letter, read from the end of a text.

A letter counts by what stands just before it ("the answer is", "I choose", "so", 答案是)
or just after it ("is the correct answer", 正确), never alone within a sentence: so
neither the article "A" nor the pronoun "I", nor a vitamin or a variable, is an answer.
English and Chinese; of German, French, Spanish, Italian and Portuguese the usual phrases.

Two strengths: a sentence that speaks of the answer or of a choice is a commitment; "so B",
"it is B", "B is correct" are one only where nothing stronger is said anywhere, or after a
word that takes back what was said ("wait", "no", "actually"), since explanations say as
much of options that are not chosen.

Invariants: a question, a condition, a negation and a rejection are no commitment; a
commitment to two letters at once is one, and names none. Time is linear and small: a
bounded number of letters is looked at, each once, over a bounded window.

Not covered: letters said to be wrong until one is left; votes and probabilities.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import regex

from verifier.choice.options import LETTERS, Options, begins_text, is_text

WINDOW = 160
"""Characters before and after a letter that are read: a long sentence."""

FIRST_CHUNK = 64
"""Characters from the end searched for letters at first, then twice as many, and so on:
most answers stand in the last sentence."""

MAX_LETTERS = 1_024
"""Letters that are looked at, from the end: an answer has long been given, or is none."""

NEAR = 40
"""Characters before a letter in which the word that may commit must end."""

LEAD = 48
"""Characters before a commitment in which a condition or a negation is looked for."""


@dataclass(frozen=True, slots=True)
class Statement:
    """`letter` is None where several are named at once."""

    letter: str | None
    strong: bool
    line: bool
    """An answer line ("Answer: B", a line "B") and no sentence."""
    start: int
    end: int


def statements(text: str, begin: int, end: int, options: Options) -> Iterator[Statement]:
    """The commitments in [begin, end) of a text, the last one first."""
    token = _token(options.last)
    high, size, left = end, FIRST_CHUNK, MAX_LETTERS
    while high > begin:
        low = max(begin, high - size)
        # The two characters of the next chunk are only looked at.
        found = token.finditer(text, low, min(high + 2, end))
        places = [match.start() for match in found if match.start() < high]
        for at in reversed(places[-left:]):
            statement = _at(text, at, begin, end, options)
            if statement is not None:
                yield statement
        left -= min(left, len(places))
        high, size = (low, 2 * size) if left else (begin, size)


def last(text: str, begin: int, end: int, options: Options, weak: bool) -> Statement | None:
    """The last strong commitment; without one, if `weak`, the last weak one.

    After a strong one to several letters, a weak one decides between them.
    """
    weaker = None
    for found in statements(text, begin, end, options):
        if found.strong:
            return found if found.letter or not weaker else weaker
        weaker = weaker or found
    return weaker if weak else None


@cache
def _token(last_letter: str) -> re.Pattern[str]:
    # The class comes first so that the engine can skip to the next capital.
    letter = f"[A-{last_letter}]"
    return re.compile(rf"{letter}(?<![A-Za-z0-9_\\]{letter})(?![A-Za-z0-9_]|['’][a-z])")


# ---------------------------------------------------------------- before the letter

_DRESS = r"(?:(?-i:<[a-z]{1,6}>)|\\\(|\\\[|\\[a-z]{1,12}\s?\{|[\s*_(\"'“‘「【\[{$`（<>}]){0,10}+"
_NOUN = (
    r"(?:(?:(?:the|die|la|le|el)\s+|l['’])?(?:(?:correct|right|best)\s+)?"
    r"(?:(?:option|choice|letter|answer|alternative|statement)s?"
    r"|antwort|aussage|réponse|proposition|respuesta|opción|risposta|opzione|resposta|opção)[:：]?"
    r"|选项|選項)"
)
_REJECTED = (
    r"(?:not|nicht|pas)\s+(?:(?:option|choice"
    r"|antwort)\s+)?[*_(\[{$]{0,4}(?-i:[A-Z])[)\]}$*_]{0,4},?"
    r"\s+(?:but|sondern|mais)(?:\s+(?:rather|instead|actually|in\s+fact))?"
)
"""What is named only to be rejected: "not A but"."""
_SURELY = (
    r"(?:most\s+likely|most\s+probably|likely|probably|clearly|indeed|definitely|certainly|simply"
    r"|actually|therefore|thus|then|still|again|only|just|now|both|either|closest\s+to|given\s+by"
    r"|represented\s+by|that|obviously|surely|hence|in\s+fact|really|应该|应当|应"
    r"|also|daher|somit|folglich|donc|entonces|quindi|portanto|la)[,:]?"
)
_GAP = r"(?:[^\S\n]+|[^\S\n]{0,4}\n[^\S\n]{0,4})"
"""Between two words: no paragraph's end."""
_WORD = (
    r"(?!(?:not|never|neither|nor|nicht|kein|pas|no|non|não|could|might|may|cannot|choices"
    r"|options|wrong|incorrect|is|are"
    r"|because|since|so)\b|[a-z]+n['’]t\b|(?-i:[A-Z])\b)(?:[\w'’,()\"“”*-]{1,24}+"
    r"|\"[^\"\n]{1,90}\"|“[^“”\n]{1,90}”)"
)
_IS = (
    r"(?:[】\]]|\b(?:is|['’]s|are|be|es|est|ist|lautet|wäre|equals)\b|\bè|\bé|[:：=]|->|→|=>|⇒"
    r"|(?<!\n[ \t]{0,4})[-–—]"
    r"|は|(?:应该|应当|應該|應|应|就|显然|很?明显|肯定|一定|只能|只){0,2}[是为為选選])[:：]?"
)
_ANSWERS = (
    r"(?:(?:(?<!/)\b|_)(?:answers?|respuesta|réponse|antwort|risposta|resposta|ответ)\b|\bans\b\.?"
    r"|答案|(?<![问問回])答(?=\s*[:：])|答え|正解|正确选项|正确的选项|正确的是|正確答案|正確的是|正確選項"
    r"|(?:符合题意|正确|錯誤|错误|不正确)的(?:选项)?)"
)
_MOST = r"most\s+(?!(?:popular|common|frequent|tempting|chosen|attractive)\b)[a-z]+"
_CHOICES = (
    r"(?:\b(?:(?:my|our|final|closest|nearest|correct|right|best|true|only|remaining|appropriate"
    rf"|suitable|accurate|{_MOST}|least\s+[a-z]+|false|incorrect|untrue|matching|valid|intended"
    r"|logical|richtige|korrekte|einzige|bonne|seule)\s+){1,3}"
    r"(?:option|choice|alternative|one|statement|selection|pick|guess|conclusion|response|solution"
    r"|letter|description|explanation|interpretation|possibility|candidate|aussage|auswahl"
    r"|proposition|affirmation)"
    r"|\b(?:option|opción|opzione|opção)\s+(?:correcte?|correcta|corretta|correta)\b"
    r"|\brichtig(?=\s+ist\b))"
)
_PLAIN = r"\b(?:choice|option|selection|final|conclusion|lösung)"  # "Option: B"
_SAYS = (
    r"\b(?:choose|choosing|select|selecting|pick|picking|go(?:ing)?\s+with|opt(?:ing)?\s+for"
    r"|settle\s+on|stick\s+with|answer\s+with|answer|say|marking|mark|meant|vote\s+for"
    r"|lock(?:ing)?\s+in)"
)
_SAYER = (
    r"(?:(?<![^\n.!;:,])\s*"
    r"|(?:\b(?:I|we|let['’]?s|let\s+us)|['’](?:d|ll|m))\s+(?:am\s+)?(?:[a-z]+ly\s+)?"
    r"|\b(?:will|would|shall|should|must|to|so|therefore|thus|hence|and"
    r"|have\s+to)\s+(?:[a-z]+ly\s+)?)"
)
_I_CHOOSE = (
    r"\b(?:ich\s+(?:wähle|entscheide\s+mich\s+für)|je\s+choisis|on\s+choisit(?:\s+donc)?"
    r"|faut\s+choisir|elijo|scelgo|escolho)"
)
_XUAN = r"(?<![不可所挑筛未别勿错误])(?:[选選](?:择|擇)?[:：]?|選擇[:：]?|[选選][项項][:：])"

_HEDGED = rf"(?:[\s*_:：]{{0,4}}(?:{_SURELY}|{_REJECTED})){{0,2}}"
_REFERS = (
    r"(?:\b(?:is|namely|matches|matching|correspond(?:s|ing)\s+to|arrived?\s+at|(?:given|shown"
    r"|stated|described)\s+(?:in|by))"
    r"\s+(?:the\s+)?(?:answer\s+)?(?:option|choice))"
)
"""Behind a value, where the letter has the word "option" before it."""

_STRONG = regex.compile(
    rf"(?ri)(?:(?P<line>(?:{_ANSWERS}(?:[ \t]+(?!(?:is|choices|options)\b)[a-z]+)?|{_CHOICES}"
    rf"|{_PLAIN})"
    rf"[\s*_\"'”]{{0,8}}(?:[:：]|(?<=ans)\.)"
    rf"[\s*_]{{0,8}}|{_ANSWERS}[\s*_]{{0,4}}\|[ *_]{{0,4}})"
    rf"|{_ANSWERS}(?:,?{_GAP}{_WORD}){{0,7}}?[\s*_]{{0,8}}{_IS}{_HEDGED}"
    rf"|{_CHOICES}(?:,?{_GAP}{_WORD}){{0,7}}?[\s*_]{{0,8}}{_IS}{_HEDGED}"
    rf"|\bthe\s+(?:closest|nearest|best|exception|odd\s+one\s+out)(?:\s+(?:match"
    rf"|fit))?\s+is(?:\s+{_SURELY})?"
    rf"|\bthe\s+(?:statement|option|one|choice|answer)\s+(?:that|which)(?:\s+[\w'’]+){{1,8}}?\s+is"
    rf"|{_SAYER}{_SAYS}|{_I_CHOOSE}"
    rf"|\bist\s+die\s+(?:(?:richtige|korrekte)\s+)?antwort"
    rf"|{_ANSWERS}\s+(?:that\s+)?(?:we|I)(?:\s+(?:are|am)|['’](?:re|m))\s+looking\s+for\s+is"
    rf"|{_XUAN})"
    rf"(?:[\s:：,，]{{0,4}}{_NOUN})?{_DRESS}"
)
_WEAK = regex.compile(
    rf"(?ri)(?:\b(?:so|therefore|thus|hence|consequently|accordingly|conclusion|finally)\b[,:]?"
    rf"|\b(?:wait|yes|no|nope|actually|rather|instead|sorry|correction)[,:—]"
    rf"|=>|⇒|→|∴|\\therefore|(?:故|因此|所以|综上)[,，]?|\b(?:also|daher|somit|folglich|donc)\b[,:]?"
    rf"|\bor\s+answer"
    rf"|\b(?:it|that|this|which)(?:['’]s|\s+(?:is|must\s+be|has\s+to\s+be|should\s+be))"
    rf"|\b(?:makes|making|(?:leaves|leaving|left)(?:\s+us)?(?:\s+with)?)|(?<!不)(?<!可能)(?:应该)?[是即]"
    rf"|{_REJECTED}|{_REFERS}|\bi\.\s?e\.,?|\blooks?\s+like|\bc['’]est|对应"
    rf")(?:[\s,:]{{0,4}}{_SURELY}){{0,2}}(?:[\s:：,，]{{0,4}}{_NOUN})?{_DRESS}"
)
_DRESS_CHARS = " \t\r\n*_(\"'“‘「【[{}$`（<\\:：,，"
_LEADS = (
    "is", "'s", "’s", "are", "be", "es", "est", "ist", "equals", "è", "é", "=", ">", "⇒", "→", "∴",
    "-", "–", "—", "は", "是", "为", "选", "選", "择", "擇", "項", "项", "answer", "answers",
    "ans", "ans.", "]", "option", "options", "choice", "choices", "letter", "alternative",
    "alternatives", "statement", "statements", "letters", "likely", "probably", "clearly",
    "indeed", "ly", "then", "therefore", "thus", "still", "again", "just", "now", "both", "either",
    "to", "by", "that", "hence", "fact", "应该", "应当", "应", "choose", "choosing", "select",
    "selecting", "pick", "picking", "makes", "making", "with", "for", "on", "say", "mark",
    "marking", "so", "conclusion", "leaves", "leaving", "us", "故", "因此", "所以", "综上", "】",
    "actually", "wait", "yes", "no", "nope", "rather", "sorry", "correction", "instead", "text",
    "bf", "rm", "it", "boxed", "sf", "emph", "lautet", "wäre", "antwort", "aussage", "réponse",
    "proposition", "respuesta", "opción", "risposta", "opzione", "resposta", "opção", "also",
    "daher", "somit", "folglich", "donc", "entonces", "quindi", "portanto", "la", "wähle",
    "choisis", "choisit", "choisir", "für", "elijo", "scelgo", "escolho", "but", "sondern", "mais",
    "meant", "namely", "matches", "matching", "i.e.", "i.e", "like", "in", "即", "对应", "為",
    "應該", "應", "的", "|",
)  # fmt: skip
"""How a commitment's words may end, whatever the dress: nothing else is looked at closely."""
_LONGEST = max(map(len, _LEADS))
_COLON = re.compile("[:：]")
_BLOCKED = re.compile(
    r"\b(?:if|otherwise|wenn|falls|si|whether|suppose|supposing|assume|assuming|unless"
    r"|(?<!is\s)why|(?:might|may|could)\s+"
    r"(?:think|say|guess|argue|assume|expect|believe|suggest)"
    r"|would\s+(?:think|guess|assume|expect|believe))\b[^.;\n]*$"
    r"|\b(?:not|never|nicht|pas|(?:common|typical|frequent)\s+(?:mistake|error|trap"
    r"|misconception)|[a-z]{2,6}n['’]t|cannot|initially"
    r"|instead\s+of|rather\s+than|tempting|tempted)\b[^.,;\n]*$"
    r"|\b(?:wrong|incorrect|trap|(?:second|next)[- ]best|student['’]?s?['’]?|naive|common"
    r"|previous|old)\s+$|(?:如果|若|假设|假如|是否)[^。；\n]*$|(?:不能?|不应该?|别|错误|易错)$",
    re.IGNORECASE,
)
_BLOCKERS = frozenset((
    "if", "whether", "suppose", "supposing", "assume", "assuming", "unless", "why", "might", "may",
    "could", "would", "not", "never", "cannot", "initially", "instead", "rather", "tempting",
    "tempted", "wrong", "incorrect", "nicht", "pas", "wenn", "falls", "si",
    "common", "typical", "frequent", "trap", "second", "next", "student", "students", "naive",
    "previous", "old", "otherwise",
))  # fmt: skip
"""The Latin words of _BLOCKED, one of which it needs."""
_SMALL_WORD = re.compile("[a-z]+")
_TAKES_BACK = re.compile(
    r"\b(?:wait|actually|sorry|correction|scratch\s+that|oops|mistake|on\s+second\s+thought"
    r"|(?:up)?on\s+reflection"
    r"|edit|meant"
    r"|reconsider(?:ing)?|(?:no|nope|rather|instead)(?=\s?[,.:;!—–]))\b[^\n]*$|(?:不对|等等|不，)[^\n]*$",
    re.IGNORECASE,
)

# ---------------------------------------------------------------- after the letter

_UNDRESS = re.compile(r"(?:</[a-z]{1,6}>|\\\)|\\\]|[)\]}*_\"”’」】$`）>]|'(?![a-z]))*")
_CLOSING = tuple("\\)]}*_\"”’」】$`）<>'")
_BEST = rf"(?:correct|right|best|better|only|final|true|accurate|{_MOST}|closest)"
_PICKED = re.compile(
    r"\s{0,4}(?:is|must\s+be|would\s+be|has\s+to\s+be|should\s+be|being|seems\s+to\s+be|as"
    r"|(?:stands\s+out|emerges|remains)(?:\s+as)?)\s+"
    rf"(?:{_SURELY}\s+)?(?:the|my|our)\s+(?:{_BEST},?\s+(?:and\s+)?){{0,3}}"
    r"(?:option|choice|answer|one|response|alternative|solution|pick)\b(?!['’])"
    rf"|\s+the\s+(?:{_BEST}\s+)?(?:option|choice|answer)\b"
    r"|\s{0,4}(?:ist\s+)?(?:also\s+|daher\s+)?die\s+(?:richtige|korrekte"
    r"|einzig\s+richtige)\s+(?:antwort|option)"
    r"|\s{0,4}est\s+(?:donc\s+)?la\s+(?:bonne|seule\s+bonne)\s+réponse"
    r"|\s{0,4}+(?:选项|選項|项|項)?\s{0,4}+(?:是|为|就是|才是)?\s{0,4}+(?:正确|正確|最佳)?(?:的)?(?:答案|正解)",
    re.IGNORECASE,
)
_RIGHT = re.compile(
    r"\s{0,4}(?:is|must\s+be|has\s+to\s+be|seems|appears\s+to\s+be)\s+"
    rf"(?:{_SURELY}\s+)?(?:the\s+)?(?:correct|right|best|most\s+(?:appropriate|likely|accurate))\b"
    r"|\s+(?:fits|matches)\s+(?:best|perfectly|exactly)|\s+it\s+is\b|\s+remains(?=[.!\n]|$)"
    r"|\s+best\s+[a-z]+s\b"
    r"|\s{0,4}(?:ist\s+)?(?:richtig|korrekt)(?=\s{0,4}(?:[.,;:!)\n]|und\b|weil\b|$))"
    r"|\s{0,4}est\s+(?:correcte?|juste|vraie?|la\s+bonne)\b"
    r"|\s{0,4}+(?:选项|選項|项|項)?\s{0,4}+(?:是|为|才是)?\s{0,4}+(?:正确|正確|对的|符合题意"
    r"|[最更]为?(?:合适|恰当|准确|贴切|合理|正确|符合))",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\s{0,4}(?:is|must|would|has|should|being|seems|as|appears|fits|matches|it|best|stands"
    r"|emerges|remains|ist|die|est|richtig|korrekt"
    r"|[选選项項是为就才正最更对符的答])"
)
"""How _PICKED and _RIGHT may begin: most letters go no further."""
_OTHER = (
    r"\s{0,4}(?:(?:either|both|options?|choices?|statements?)\s+|选项)?"
    r"(?:\\[a-z]{1,12}\{|[*_(\[{$`（\"']){0,8}[A-Z](?![A-Za-z0-9_]|['’][a-z])"
)
_JOINS = (
    r"(?:and/or|and|or|&|\+|as\s+well\s+as|alternatively|possibly|maybe|perhaps|和|还是|或者?|及|与|以及)"
    r"(?:\s+(?:possibly|maybe|perhaps|even|else))?"
)
_CLOSED = r"[)\]}*_\"'”’$`）]{0,8}"
_MORE = re.compile(
    r"\s{0,4}(?:\([^()\n]{1,80}\)\s{0,4})?"
    rf"(?:(?:[,，;(]|\.\.\.|…)?\s{{0,4}}{_JOINS}{_OTHER}|[/、]{_OTHER}|\([A-Z]\)"
    rf"|[-–—|]{_OTHER}(?={_CLOSED}[ \t]{{0,4}}(?:[.,;，。\n]|$))"
    rf"|[,，;；]{_OTHER}(?={_CLOSED}\s{{0,4}}(?:[.,;，。\n]|and\b|or\b|和|或|$)))"
)
"""More letters than one. What a dash leads in may as well be the reason: "C – A is too small"."""
_BEFORE_MORE = re.compile(r"[/&、和或及与]\s{0,8}[(*\[{$`（]{0,8}$")
_DENIED = re.compile(
    r"\s{0,4}(?:\?|？|吗|(?:is|are|was|would\s+be|seems)\s+(?:not|wrong|incorrect|false)\b"
    r"|isn['’]t|can(?:not|['’]t)|不|错|or\s+not\b)",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"[ \t]{0,8}(?:$|[\r\n;!,，。；！：）]|\.(?!\d|\s{0,4}[A-Z]\.| [a-z]|[A-Za-z]\w)|:(?!\w)|[–—]"
    r"|-\s|\((?<=\s\()|[^\x00-\x7f]|\\|<|\||\[/)"
    r"|\s+(?:because|since|as|is|for|which|with|and|but|or|in|by|due|given|based|while|where|rather"
    r"|not|so|from|that|if|instead|over|here|then|per|according|meaning)\b"
)
_STOPS = re.compile(r"[ \t]{0,8}(?:$|[\r\n!。！]|\.(?=\s|$|[*\"”<])(?!\s{0,4}[A-Z]\.))")
_CLAUSE = re.compile(
    r"[.!?。！？\n;；]|\b(?:but|however|so|therefore|thus|hence)\b|但|所以|因此", re.IGNORECASE
)


def _at(text: str, at: int, begin: int, end: int, options: Options) -> Statement | None:
    letter = text[at]
    low, high = max(begin, at - WINDOW), min(end, at + 1 + WINDOW)
    lead = text[max(low, at - NEAR) : at]
    bare = lead.rstrip(_DRESS_CHARS)
    after = at + 1
    if text[after : after + 1] in _CLOSING:
        close = _UNDRESS.match(text, after, high)
        after = close.end() if close else after
    before = strong = None
    if bare[-_LONGEST:].lower().endswith(_LEADS) or _COLON.search(lead, len(bare)):
        strong = _STRONG.match(text, low, at)
        before = strong or _WEAK.match(text, low, at)
    if before is None:
        if (not bare or "\n" in lead[len(bare) :]) and _line(text, at, after, begin, end, options):
            return Statement(letter, True, True, at, at + 1)
        if bare[-1:] in _SENTENCE_ENDS and _BOLD_LAST.match(text, max(begin, at - 2), end):
            return Statement(letter, True, True, at, at + 1)
        return _judged(text, letter, at, after, low, high, options)
    start = before.start()
    line = strong is not None and strong.group("line") is not None
    if _DENIED.match(text, after, high) or (not line and _blocked(text, low, start)):
        return None
    more = _MORE.match(text, after, high)
    if more or _MORE.match(text, _past_text(text, letter, after, high, options), high):
        sure = strong is not None or _takes_back(text, low, at)
        return Statement(None, True, line, at, at + 1) if sure else None
    picked = _PICKED.match(text, after, high) is not None
    ends = (_ENDS if strong else _STOPS).match(text, after, high)
    if not (ends or picked or begins_text(text[after:high].lstrip(" .):-"), letter, options)):
        # "(B) Paris" names the letter by its brackets, whatever follows.
        dressed = after > at + 1 and text[at - 1] in "([{*"
        if not (dressed if strong else _RIGHT.match(text, after, high)):
            return None
    sure = strong is not None or picked or _takes_back(text, low, at)
    return Statement(letter, sure, line, at, at + 1)


def _judged(
    text: str, letter: str, at: int, after: int, low: int, high: int, options: Options
) -> Statement | None:
    """ "B is the correct answer", strong; "B is correct", weak."""
    lead = text[max(low, at - NEAR) : at]
    after = _past_text(text, letter, after, high, options)
    if lead.endswith(", ") and text.startswith(", ", after):  # "the last option, D, is correct"
        after += 1
    if not _VERB.match(text, after, high):
        return None
    picked = _PICKED.match(text, after, high)
    judged = picked or _RIGHT.match(text, after, high)
    if judged is None:
        return None
    if _BEFORE_MORE.search(lead) or text[judged.end() : judged.end() + 1] in ("?", "？", "吗"):
        return None
    if not _stands_alone(lead) or _blocked(text, low, at):
        return None
    return Statement(letter, picked is not None or _takes_back(text, low, at), False, at, at + 1)


_PLAIN_BEFORE = re.compile(r"([A-Za-z\u00c0-\u024f]+)[ \t]*$")
_BEFORE_JUDGED = frozenset((
    "option", "choice", "answer", "letter", "statement", "alternative", "that", "so", "therefore",
    "thus", "hence", "think", "believe", "conclude", "say", "know", "see", "find", "then", "but",
    "because", "since", "as", "is", "only", "while", "means", "now", "clearly", "here", "actually",
    "really", "seems", "suggests", "indicates", "implies", "shows", "confirms", "yes", "no",
    "antwort", "aussage", "réponse", "proposition", "ist", "also", "daher", "somit", "dass",
    "sondern", "donc", "mais", "que", "est", "why", "elimination",
))  # fmt: skip


def _stands_alone(lead: str) -> bool:
    """Whether a judged letter is no part of a name: "vitamin A is the answer"."""
    word = _PLAIN_BEFORE.search(lead)
    return word is None or word.group(1).lower() in _BEFORE_JUDGED


def _past_text(text: str, letter: str, after: int, high: int, options: Options) -> int:
    """Behind "(Rome)", whatever is in the brackets, or " Rome", the option's text."""
    start = after
    while start < high and text[start] in " .:":
        start += 1
    if start in (after, high):
        return after
    if text[start] == "(":
        aside = _ASIDE.match(text, start, high)
        return aside.end() if aside else after
    place = LETTERS.index(letter)
    option = options.texts[place].strip() if place < len(options.texts) else ""
    return start + len(option) if option and text.startswith(option, start) else after


_ASIDE = re.compile(r"\([^()\n]{1,80}\)")


def _start(text: str, low: int, at: int) -> int:
    """Where the clause around `at` starts, no further back than LEAD or `low`."""
    start = max(low, at - LEAD)
    for mark in _CLAUSE.finditer(text, start, at):
        start = mark.end()
    return start


def _blocked(text: str, low: int, start: int) -> bool:
    lead = text[max(low, start - LEAD) : start].lower()
    if lead.isascii() and "n't" not in lead and _BLOCKERS.isdisjoint(_SMALL_WORD.findall(lead)):
        return False
    return _BLOCKED.search(text, _start(text, low, start), start) is not None


def unsure(text: str, begin: int, start: int, end: int) -> bool:
    """Whether a value in [start, end) is asked about, supposed or denied, not stated."""
    low = max(begin, start - WINDOW)
    asked = text[end - 1 : end] in ("?", "？") or _DENIED.match(text, end) is not None
    return asked or _blocked(text, low, start)


def _takes_back(text: str, low: int, at: int) -> bool:
    return _TAKES_BACK.search(text, max(low, at - LEAD), at) is not None


# ---------------------------------------------------------------- lines

_SENTENCE_ENDS = (".", "!", "?", "。")
_BOLD_LAST = re.compile(r"\*\*[A-Z]\.?\*\*\s*$")
_LINE_DRESS = " \t>#*_-([$\"'`（【\\✅✔☑✓👉➡\ufe0f"
_LINE_AFTER = re.compile(r"[.):：。]?[ \t*_]*(?:\n|$)")
_LETTER_LINE = re.compile(r"[\s>#*_\-(\[]*[A-Z](?:[\s.):*_\]]|$)")
_LETTER_ALONE = re.compile(r"[\s>#*_\-(\[]*[A-Z][\s.):*_\]]*$")


def _line(text: str, at: int, after: int, begin: int, end: int, options: Options) -> bool:
    """A line that is nothing but this letter, or it and its option's text, and no list."""
    opening = text.rfind("\n", max(begin, at - 16), at)
    if opening < 0 and at - begin > 16:
        return False
    opening = max(opening, begin - 1)
    if text[opening + 1 : at].strip(_LINE_DRESS):
        return False
    closing = text.find("\n", at, min(end, at + WINDOW))
    closing = closing if closing >= 0 else min(end, at + WINDOW)
    alone = _LINE_AFTER.match(text, after, closing) is not None
    if not alone:
        marked = text[at + 1 : at + 2] in (".", ":", ")")
        if not (marked and is_text(text[at + 2 : closing].strip(" *_"), text[at], options)):
            return False
    above = text[max(begin, opening - WINDOW) : max(begin, opening)].rstrip().rpartition("\n")[2]
    below = text[closing : min(end, closing + WINDOW)].lstrip().partition("\n")[0]
    like = _LETTER_ALONE if alone else _LETTER_LINE
    return not (like.match(above) or like.match(below))
