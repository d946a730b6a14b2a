"""English as commit subjects use it: which words are verbs, and their imperative."""

from __future__ import annotations

import re

from aircher.domain.regexes import regex

VERBS = frozenset(
    """
    abort accept access account activate adapt add address adjust adopt advance align allow alter amend
    announce annotate append apply archive arrange ask assert assign attach attempt audit authenticate
    authorize avoid await back backport balance ban base batch begin bind block bootstrap bound break
    bring build bump bundle bypass cache calculate call cancel cap capitalize capture carry cast catch
    centralize change charge check choose clamp clarify clean clear clip clone close coalesce collapse
    collect combine comment compare compile complete compress compute configure confirm connect consider
    consolidate constrain construct consume contain continue convert copy correct count cover create
    cut cycle deal debounce debug declare decode decouple decrease deduplicate default defer define
    delay delegate delete demote denote deny depend deploy deprecate derive describe deserialize detach
    detect determine disable disallow discard disconnect dispatch display dispose distinguish do
    document double downgrade download drop dump duplicate ease edit elide eliminate embed emit enable
    encapsulate encode encrypt end enforce enhance enlarge ensure enter enumerate escape establish
    estimate evaluate exclude execute exempt exercise exit expand expect expire explain expose extend
    extract fail fall favor fetch fill filter finalize find finish fit fix flag flatten flip flush fold
    follow force forbid forget fork format forward free freeze fulfil gate gather generalize generate
    get give go grant group grow guarantee guard handle harden harmonize hash have hide highlight hoist
    hold honor honour hook identify ignore implement import improve include incorporate increase
    increment indent index infer inform inherit init initialize inject inline insert inspect install
    instantiate instrument integrate introduce invalidate invert investigate invoke isolate issue join
    keep kill land launch lay lazily lead learn leave lengthen let lift limit link lint list listen load
    localize locate lock log look loosen lower maintain make manage map mark mask match measure mention
    merge migrate minify minimize mirror mock modernize modify monitor mount move mute name narrow
    negate nest normalize note notify nudge number obey obtain omit open optimize order organize
    override overwrite pack package pad parallelize parse partition pass patch pause perform permit
    persist pick pin place plug point poll populate port postpone prefer prefix prepare prepend preserve
    preset prevent print prioritize process profile prohibit promote prompt propagate protect provide
    prune publish pull purge push put query queue quiet quote raise randomize read realign reapply
    rearrange rebase rebuild recognize recompute reconnect record recover redesign redirect redo reduce
    refactor refer refine reflect refresh refuse regenerate register reimplement reindent reinstate
    reject relax release reload relocate rely remember remind remove rename render reorder reorganize
    repair repeat rephrase replace reply report represent request require rerun reschedule reserve reset
    resize resolve respect respond restart restore restrict restructure retain retry return reuse
    reveal revert review revise revisit revive reword rework rewrite roll rotate round route run
    sanitize satisfy save scale scan schedule scope scroll search secure select send separate serialize
    serve set share shift ship shorten show shrink shuffle sign silence simplify skip sleep slim smooth
    snapshot solve sort spawn specify speed spell split squash stabilize stage standardize start state
    stop store stream streamline strengthen strip structure stub style submit subscribe substitute
    suggest summarise summarize supply support suppress survive suspend swap switch sync synchronize
    take tag target teach tell terminate test thread throttle throw tidy tie tighten time toggle
    tolerate touch trace track transfer transform translate trap traverse treat trigger trim truncate
    trust try tune turn tweak unblock uncomment undo unify uninstall unlink unlock unpack unpin unset
    unskip unwrap update upgrade upload use utilize validate vary vendor verify version wait warm warn
    watch weaken widen wire work wrap write yield zero
    aim answer await boost colour color crop curb decide detach draw exempt gain judge know lose mend
    offer own paint pay prove reach refit renew replay rescue say see seed spare speak spend stick sum
    survey swallow temper think transpile type unveil weigh
    """.split()
)
"""Verbs that commit subjects begin with, in their base form."""

_IRREGULAR = {
    "made": "make", "wrote": "write", "rewrote": "rewrite", "began": "begin", "built": "build",
    "rebuilt": "rebuild", "brought": "bring", "broke": "break", "caught": "catch", "chose": "choose",
    "did": "do", "does": "do", "found": "find", "forgot": "forget", "froze": "freeze", "gave": "give",
    "got": "get", "has": "have", "had": "have", "held": "hold", "hid": "hide", "kept": "keep",
    "left": "leave", "sent": "send", "showed": "show", "split": "split", "stopped": "stop",
    "taught": "teach", "threw": "throw", "took": "take", "told": "tell", "went": "go", "ran": "run",
    "goes": "go", "undid": "undo", "dying": "die", "tied": "tie",
}  # fmt: skip

_AFTER_A_NOUN = frozenset("for of from in on to and or by with about".split())
"""Before these, "updates" or "handling" is a noun ("Fixes for ..."), and is left alone."""

_WORD = regex(r"[A-Za-z]+(?:-[A-Za-z]+)*")


def base_form(word: str) -> str:
    """The verb's base form for "added", "adds", "adding"; "" for what is not known as a verb."""
    lower = word.lower()
    if lower in VERBS:
        return lower
    if lower in _IRREGULAR:
        return _IRREGULAR[lower]
    return next((stem for stem in _stems(lower) if stem in VERBS), "")


def _stems(word: str) -> list[str]:
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            stem = word[: -len(ending)]
            doubled = stem[:-1] if len(stem) > 2 and stem[-1] == stem[-2] else stem
            y = stem[:-1] + "y" if stem.endswith("i") else stem
            plain = word[:-1] if ending == "es" else stem
            return [stem, f"{stem}e", doubled, y, plain]
    return []


def imperative(sentence: str) -> str:
    """The sentence with its first word as an imperative, where that word is a known verb."""
    found = _WORD.match(sentence)
    if found is None or not (verb := base_form(found[0])) or verb == found[0].lower():
        return sentence
    rest = sentence[found.end() :]
    following = rest.split(maxsplit=1)[0].lower() if rest.split() else ""
    if not rest.startswith(" ") or following in _AFTER_A_NOUN:
        return sentence
    shown = verb.capitalize() if found[0][0].isupper() else verb
    return shown + rest


def is_imperative(sentence: str) -> bool:
    """True when the sentence begins with a verb in its base form."""
    found = _WORD.match(sentence)
    return found is not None and found[0].lower() in VERBS


_NO_VERB = regex(
    r"(?:the|an?|this|these|that|some|new|more|better|it|we|i|there|all|minor|small|various|initial"
    r"|several|our|my)|.{3,}(?:tion|sion|ment|ness|ity|ance|ence|ship|ing|(?<!e)ed|er|or|ism)",
    re.IGNORECASE,
)


def is_statement(sentence: str) -> bool:
    """True when the sentence surely begins with no imperative: "Reader of rows", "Fixes for it".

    An unknown word may be a verb, and a word with capitals or digits is a name.
    """
    word = sentence.split(maxsplit=1)[0] if sentence.split() else ""
    if not word.isalpha() or (not word[1:].islower() and len(word) > 1) or is_imperative(sentence):
        return False
    return bool(base_form(word)) or _NO_VERB.fullmatch(word) is not None
