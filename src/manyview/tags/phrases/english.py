"""English phrases without a model: what stands between function words, verbs of captions and punctuation.

It knows no grammar: a verb that is not in its list joins what stands around it, and an adjective that is not stands for
a thing. Where that matters, a spaCy pipeline is the better reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from manyview.tags.phrases.reader import Words

__all__ = ["english_phrases"]

_TOKEN = re.compile(r"[^\W\d_][\w'’-]*|\S")
_WORD = re.compile(r"[^\W\d_]")
_FUNCTION = frozenset(
    """a an the this that these those some any each every both all no another other such many much few several more
    most less of in on at by with without from to into onto over under above below behind beside between among against
    along across around through near off out up down inside outside next after before during for about as like via per
    and or but nor so than then while when where who whom whose which what how why if because though i you he she it we
    they me him her us them my your his its our their mine yours one two three four five six seven eight nine ten dozen
    is are was were be been being am has have had having do does did can could will would shall should may might must
    there here not very too also just only even again together away back front left right top bottom side middle
    something someone somebody anything other others lot lots group pair couple piece bunch number kind type photo
    photograph picture image close-up closeup view shot""".split()  # noqa: SIM905  words read better so
)
_VERBS = frozenset(
    """wears wearing worn hold holds holding held riding rode stand stands standing stood sit sits sitting sat lie lies
    lying laid lay lays laying walks walking walked runs ran jumps jumping plays playing played looks looking looked
    watching eat eats eating ate drinking carry carries carrying carried using used make makes making made take takes
    taking taken showing shown covering covered fill fills filled parked hangs hanging hung flies flying flew swim
    swims swimming sleeps sleeping climb climbs climbing throws throwing catches catching hitting kicking pushes
    pushing pulls pulling drives driving driven cutting smiling posing talks talking reads reading write writes
    writing sing sings singing leans leaning surround surrounded decorate decorated contain contains containing
    featuring include includes including placed prepare prepares preparing wait waits waiting go goes going gone come
    comes coming get gets getting put puts putting see sees seen seeing surfing skiing skateboarding snowboarding
    topped attached tied printed called named known based inspired crossing passing facing following feeding touching
    reaching performing enjoying""".split()  # noqa: SIM905  words read better so
)
_QUALITIES = frozenset(
    """red green blue yellow orange purple pink brown black white gray grey golden silver dark light bright pale big
    large small little tiny huge long short tall high low wide narrow thick thin old young new modern ancient beautiful
    pretty nice cute good great different same full empty open closed colorful colourful hot cold wet dry clean dirty
    male female happy sad sunny cloudy busy""".split()  # noqa: SIM905  words read better so
)
_ING_THINGS = frozenset(
    """building clothing wedding painting ceiling evening morning ring king string spring wing thing swing sting ping
    earring railing icing awning parking dressing pudding dumpling duckling sibling drawing carving stuffing bedding
    flooring lightning stocking filling topping frosting sling bling viking herring landing crossing meeting""".split()  # noqa: SIM905  words read better so
)


def english_phrases(texts: Sequence[str]) -> list[list[Words]]:
    """Of each text, in its order."""
    return [list(_phrases(text)) for text in texts]


def _phrases(text: str) -> Iterator[Words]:
    words: list[str] = []
    for token in [*_TOKEN.findall(_begun_small(text)), "."]:
        low = token.lower().replace("’", "'")
        if _WORD.match(token) and low not in _FUNCTION and low not in _VERBS and not low.endswith("ly"):
            words.append(token)
            continue
        if phrase := _trimmed(words):
            yield phrase
        words = []


def _begun_small(text: str) -> str:
    """A sentence without its capital; in a title, the second word has one too."""
    first, space, rest = text.strip().partition(" ")
    return f"{first.lower()}{space}{rest}" if first.istitle() and not rest[:1].isupper() else text


def _trimmed(words: list[str]) -> Words:
    """Without what somebody does at the end ("dog barking"); nothing where only qualities are left."""
    words = [word.removesuffix("'s").removesuffix("’s") for word in words]
    while len(words) > 1 and words[-1].lower().endswith("ing") and words[-1].lower() not in _ING_THINGS:
        words = words[:-1]
    return () if all(word.lower() in _QUALITIES for word in words) else tuple(words)
