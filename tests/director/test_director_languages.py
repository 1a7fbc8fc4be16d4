"""Languages other than English: their words where they are known, and else punctuation and pauses."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from director import PlanOptions, plan, review
from director.captions import caption
from director.languages import LANGUAGES, language_of
from director.material import gather
from director.placing import PlacedWord
from director.scoring import score_script
from director.script import write_script
from director.style import PACES, PORTRAIT_CAPTIONS
from director.thoughts import CLAUSE, missing_after
from schemas.edl import EDL, Variant
from schemas.facts import AssetFacts, Word
from schemas.jobs import Pace
from schemas.media import AssetKind
from schemas.timebase import RATE_FAMILY
from tests.director.director_footage import say, talk
from tests.exploring import EXPLORED

pytestmark = pytest.mark.unit


def spoken_in(language: str | None, seconds: float, words: tuple[Word, ...]) -> AssetFacts:
    facts = talk(seconds, words)
    assert facts.transcript
    return facts.model_copy(update={"transcript": facts.transcript.model_copy(update={"language": language})})


def context_of(language: str | None, line: str) -> float:
    footage = gather([spoken_in(language, 20, say((1, line)))]).a_roll
    return score_script(write_script(footage, PACES[Pace.NATURAL])).context[0]


@pytest.mark.parametrize(
    ("language", "joined"),
    [
        ("de", "Die Kamera steht am Fenster, und wir sehen das Licht."),
        ("fr", "La caméra est à la fenêtre, mais j'ai vu la lumière."),
        ("es", "La cámara está en la ventana, pero yo veo la luz."),
        ("pt-BR", "A câmera está na janela, mas você vê a luz."),
        ("it", "La camera sta alla finestra, ma noi vediamo la luce."),
    ],
)
def test_a_thought_is_over_where_another_clause_is_joined_to_it(language: str, joined: str) -> None:
    footage = gather([spoken_in(language, 20, say((1, joined)))]).a_roll[0]
    end = next(at for at, word in enumerate(footage.words, start=1) if word.ends_phrase)
    assert missing_after(footage.words, 0, end, language_of(language)) == CLAUSE
    assert missing_after(footage.words, 0, end, language_of("fi")) > CLAUSE


@pytest.mark.parametrize(
    ("language", "leaning", "standing"),
    [
        ("de", "Deshalb stellen wir die Lampe ans Fenster.", "Nachts stellen wir die Lampe ans Fenster."),
        ("fr", "C'est pourquoi la lampe reste allumée.", "La lampe reste allumée toute la nuit."),
        ("es", "Entonces ponemos la lámpara en la mesa.", "La lámpara queda en la mesa."),
        ("pt", "Então colocamos a lâmpada na mesa.", "A lâmpada fica na mesa."),
        ("it", "Quindi mettiamo la lampada sul tavolo.", "La lampada resta sul tavolo."),
    ],
)
def test_what_leans_on_the_sentence_before_is_known(language: str, leaning: str, standing: str) -> None:
    assert context_of(language, leaning) == 1
    assert context_of(language, standing) == 0
    assert context_of("fi", leaning) == 0, "nothing is guessed of a language that is not known"


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("de", "Wir stellen die Kamera auf den Tisch in der Mitte und dann sehen wir das Licht von der Seite."),
        ("fr", "On pose la caméra sur la table dans le salon et puis on regarde la lumière de la fenêtre."),
        ("es", "Ponemos la cámara sobre la mesa en el centro y después vemos la luz de la ventana."),
        ("pt", "Colocamos a câmera sobre a mesa no centro e depois vemos a luz da janela ao lado."),
        ("it", "Mettiamo la camera sul tavolo in mezzo e poi vediamo la luce dalla finestra di lato."),
    ],
)
def test_no_caption_ends_with_a_word_that_leads_on(language: str, line: str) -> None:
    said = [PlacedWord(text, 12 * at, 12 * at + 10, text.endswith("."), False) for at, text in enumerate(line.split())]
    captions = caption(said, 600, RATE_FAMILY[1], PORTRAIT_CAPTIONS, language).captions
    assert " ".join(text for one in captions for text in one.lines) == line
    assert len(captions) > 1
    assert not any(language_of(language).leads_on(one.lines[-1].split()[-1]) for one in captions)


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("de", ("Wir können in diesem Licht drehen.", "Wir können in diesem Licht nicht drehen.")),
        ("es", ("Podemos grabar con esta luz hoy.", "No podemos grabar con esta luz hoy.")),
        ("it", ("Il prezzo è sei euro al mese.", "Il prezzo è sette euro al mese.")),
    ],
)
def test_a_word_that_turns_the_sense_around_makes_another_line(language: str, lines: tuple[str, str]) -> None:
    edl = plan([spoken_in(language, 18, say((1, lines[0]), (7, lines[1])))], Variant.CINEMATIC_FULL, PlanOptions())
    assert not any(decision.kind == "repeated_take" for decision in edl.decisions)


def test_a_mark_that_french_writes_apart_ends_the_sentence() -> None:
    footage = gather([spoken_in("fr", 18, say((1, "Pourquoi ? Parce que la lumière change.")))]).a_roll[0]
    assert [(one.first, one.end) for one in footage.sentences] == [(0, 1), (1, 6)]


CHINESE = (
    "我 们 看 见 第 {} 束 光。",
    "镜 头 放 在 {} 号 桌 上。",
    "第 {} 次 为 什 么 要 这 样？",  # noqa: RUF001 (the language has it)
    "明 天 再 拍 {} 次。",
)
ARABIC = ("نضع الكاميرا على الطاولة {} في الغرفة.", "هل ترى الضوء {} من النافذة؟", "غدا نصور المشهد {} مرة أخرى.")


@pytest.mark.parametrize(("language", "lines"), [("zh", CHINESE), ("ar", ARABIC)])
@pytest.mark.parametrize("variant", Variant)
def test_scripts_without_spaces_and_from_right_to_left_are_cut_between_sentences(
    language: str, lines: tuple[str, ...], variant: Variant
) -> None:
    said = say(*((1 + 5.0 * at, lines[at % len(lines)].format(at)) for at in range(24)))
    facts = spoken_in(language, 124, said)
    edl = plan([facts], variant, PlanOptions())
    assert all(row.passed for row in review(edl, [facts]))
    assert edl.captions
    text = [line for one in edl.captions for line in one.lines]
    assert any(" " in line for line in text) == (language == "ar")
    assert written(edl)[-1] in ".؟。？"  # noqa: RUF001 (full stops of other scripts)


def written(edl: EDL) -> str:
    return " ".join(line for one in edl.captions for line in one.lines)


@settings(max_examples=60 * EXPLORED, deadline=None)
@given(st.sampled_from([*LANGUAGES, "zh", "ar", "fi", None]), st.data())
def test_words_of_any_language_give_an_edit_that_passes_review(language: str | None, data: st.DataObject) -> None:
    known = language_of(language)
    pool = [*sorted(known.small | known.numbers)[:80], "lampe", "光。", "ضوء؟", "Tisch.", "casa,", "?", "z.B."]
    tokens = data.draw(st.lists(st.sampled_from(pool), min_size=8, max_size=60))
    facts = spoken_in(language, 40, say((1, " ".join(tokens))))
    edl = plan([facts], Variant.CINEMATIC_FULL, PlanOptions())
    assert all(row.passed for row in review(edl, [facts]))
    assert plan([facts], Variant.CINEMATIC_FULL, PlanOptions()) == edl


@pytest.mark.parametrize(
    ("language", "pointing", "named"),
    [
        ("de", "Hier seht ihr die ganze Liste davon.", "Auf dem Bildschirm steht die ganze Liste."),
        ("fr", "Ici vous pouvez voir toute la liste.", "Cliquez sur la liste toute entière."),
        ("es", "Aquí pueden ver toda la lista completa.", "En la pantalla está toda la lista."),
        ("pt", "Vocês podem ver toda a lista agora.", "Clique na lista toda que está aberta."),
        ("it", "Come potete vedere la lista è completa.", "Cliccate su tutta la lista intera."),
    ],
)
def test_a_screen_is_shown_where_it_is_spoken_of_in_each_language(language: str, pointing: str, named: str) -> None:
    screen = talk(30, kind=AssetKind.SCREEN, ident="rec", name="rec.mov", digest="b")
    for line in (pointing, named):
        lines = [(1.0 + 4.0 * at, f"Lumen {at} luz luce lumière ora nacht.") for at in range(11)]
        lines[6] = (25.0, line)
        edl = plan([spoken_in(language, 46, say(*lines)), screen], Variant.CINEMATIC_FULL, PlanOptions())
        assert ["spoken of" in one.sentence for one in edl.decisions if one.kind == "b_roll"].count(True) == 1, line


@pytest.mark.parametrize(
    ("language", "name", "line", "shown"),
    [
        ("en", "from that moment.mp4", "That light is from that other side.", False),
        ("en", "car_and_hat.mp4", "There is a car in that light.", True),
        ("de", "der_hund.mp4", "Der Abend und der Morgen sind schön.", False),
        ("de", "der_hund.mp4", "Dort drüben läuft ein großer Hund.", True),
    ],
)
def test_small_words_in_a_name_ask_for_no_picture(language: str, name: str, line: str, shown: bool) -> None:
    lines = [(1.0 + 4.0 * at, f"Bright lamps {at} burn over town.") for at in range(11)]
    lines[6] = (25.0, line)
    over = talk(14, kind=AssetKind.B_ROLL, ident="over", name=name, digest="b")
    edl = plan([spoken_in(language, 46, say(*lines)), over], Variant.CINEMATIC_FULL, PlanOptions())
    assert any("spoken of" in one.sentence for one in edl.decisions if one.kind == "b_roll") is shown
