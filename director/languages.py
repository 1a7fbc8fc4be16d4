"""What the director knows of the words of each language: small closed classes, in one table by ISO 639-1 code.

Where a language is not in the table, or not known, everything goes by punctuation and pauses.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Final

from director import language as english
from director.language import FILLERS, bare

#: Words that are equal but for a letter's case or what surrounds them.
Words = frozenset[str]
#: Words that follow each other.
Phrases = frozenset[tuple[str, ...]]
_NONE: Final[Words] = frozenset()


@dataclass(frozen=True)
class Language:
    """Closed classes of words, in lower case; elided ones end in an apostrophe.

    Attributes:
        pronouns: stand for somebody or something that was named before.
        pointing: point back to what was said before, as demonstratives and possessives do.
        connectives: join a sentence to the one before it.
        coordinating: join clauses that stand by themselves.
        subordinating: begin a clause that is nothing without another.
        subjects: are the subject of a clause, with no word that leads to them.
        breaks: a caption or a line may begin with them: conjunctions and prepositions.
        leading: lead to the word after them: those, articles, possessives, auxiliaries.
        replies: answer what somebody else has said, where a comma or full stop follows.
        begun_replies: likewise, with one more word, such as "not yet".
        address: speak to the viewer.
        claims, mild_claims: announce a claim; the mild ones do so in some sentences only.
        numbers: number words.
        padding: fill time without saying anything.
        restarts: are said by speakers who begin again.
        negations: turn the sense of a sentence around.
        speaker: the speaker, where that is written with a capital.
        capital_nouns: whether every noun is written with a capital, so that one tells of no name.
        small: carry no subject of their own.
        screen: are said of what is on a screen.
        file_words: are in names of files, and tell nothing of what is to be seen.
        pointers: phrases that point to what is seen.
    """

    pronouns: Words = _NONE
    pointing: Words = _NONE
    connectives: Words = _NONE
    coordinating: Words = _NONE
    subordinating: Words = _NONE
    subjects: Words = _NONE
    breaks: Words = _NONE
    leading: Words = _NONE
    replies: Words = _NONE
    begun_replies: Words = _NONE
    address: Words = _NONE
    claims: Words = _NONE
    mild_claims: Words = _NONE
    numbers: Words = _NONE
    padding: Words = FILLERS
    restarts: Words = _NONE
    negations: Words = _NONE
    speaker: Words = _NONE
    capital_nouns: bool = False
    small: Words = _NONE
    screen: Words = _NONE
    file_words: Words = _NONE
    pointers: Phrases = frozenset()

    @cached_property
    def says_nothing(self) -> Words:
        """Words that name nothing that could be seen."""
        return self.small | self.leading | self.breaks | self.dangling | self.padding | self.numbers | self.file_words

    @cached_property
    def dangling(self) -> Words:
        """Words that point back at the start of a sentence."""
        return self.pronouns | self.connectives | self.pointing

    def leads_on(self, text: str) -> bool:
        """Whether a word leads to the one after it, as an article, a preposition or a number does."""
        word = bare(text)
        return text[-1:].isalnum() and (word in self.leading or word in self.numbers or word[:1].isdigit())


def spoken_and_english(codes: Iterable[str | None]) -> tuple[Language, ...]:
    """What is known of these languages and of English, in which files are named and programs speak, too."""
    return _ENGLISH, *(language_of(code) for code in sorted({code or "" for code in codes}))


def language_of(code: str | None) -> Language:
    """What is known of a language, by a code such as "de" or "pt-BR"; nothing of one that is not in the table."""
    return LANGUAGES.get((code or "").partition("-")[0].lower(), _UNKNOWN)


def among(token: str, words: Words) -> bool:
    """Whether a word is one of these, or begins with one that is elided before it, as in "j'ai"."""
    return token in words or ("'" in token and token[: token.index("'") + 1] in words)


def _words(text: str) -> Words:
    return frozenset(text.split())


def _phrases(text: str) -> Phrases:
    return frozenset(tuple(phrase.split()) for phrase in text.split(","))


def _completed(language: Language, prepositions: Words) -> Language:
    """With what follows from the closed classes: where lines break, what leads on, and what carries no subject."""
    breaks = prepositions | language.coordinating | language.subordinating
    leading = language.leading | breaks
    small = language.small | leading | language.dangling | language.subjects | language.address | language.padding
    return replace(language, breaks=breaks, leading=leading, small=small)


_UNKNOWN: Final = Language()

_ENGLISH: Final = Language(
    pronouns=english.SUBJECT_PRONOUNS,
    pointing=english.DANGLING - english.SUBJECT_PRONOUNS - english.CONNECTIVES,
    connectives=english.CONNECTIVES,
    coordinating=english.COORDINATING,
    subordinating=english.SUBORDINATING,
    subjects=english.SUBJECTS,
    breaks=english.BREAK_BEFORE,
    leading=english.LEADING,
    replies=english.REPLIES,
    begun_replies=_words("not"),
    address=english.ADDRESS,
    claims=english.CLAIMS,
    mild_claims=english.MILD_CLAIMS,
    numbers=english.NUMBERS,
    padding=english.PADDING,
    restarts=english.RESTART_CUES,
    negations=english.NEGATIONS,
    speaker=english.SPEAKER,
    small=english.SMALL_WORDS,
    screen=english.SCREEN_WORDS,
    file_words=english.GENERIC_NAMES,
    pointers=english.POINTERS,
)

_GERMAN: Final = _completed(
    Language(
        pronouns=_words("er sie es ihn ihm ihr ihnen"),
        pointing=_words("dies dieser diese dieses diesem diesen jener jene jenes sein seine ihre deren dessen solche"),
        connectives=_words(
            "und oder aber denn also dann deshalb deswegen daher darum trotzdem dennoch außerdem sondern jedoch "
            "auch dadurch damit dazu dabei danach davon darauf stattdessen übrigens somit"
        ),
        coordinating=_words("und oder aber denn sondern"),
        subordinating=_words(
            "dass weil wenn ob als obwohl während bevor nachdem damit sodass falls sobald solange bis da wo "
            "warum welche welcher welches"
        ),
        subjects=_words("ich du wir ihr sie er es man jeder alle niemand jemand"),
        leading=_words(
            "der die das den dem des ein eine einen einem einer eines kein keine keinen mein meine dein deine "
            "unser unsere euer eure ich du wir ist sind war waren bin bist hat haben habe hatte wird werden "
            "wurde kann können muss soll nicht sehr so zu"
        ),
        replies=_words("ja nein doch genau klar stimmt richtig natürlich okay absolut"),
        begun_replies=_words("noch"),
        address=_words("du dir dich dein deine ihr euch euer eure sie ihnen wir unser unsere"),
        claims=_words(
            "beste besten bester bestes schlimmste nie niemals immer größte geheimnis fehler muss niemand jeder "
            "warum wie falsch wahrheit kostenlos schneller einfachste stell schwerste schlechter"
        ),
        mild_claims=_words("meisten jede jeden nur einzige erste neue neu besser wichtig brauchen brauchst problem"),
        numbers=_words(
            "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn zwanzig dreißig vierzig fünfzig "
            "sechzig siebzig achtzig neunzig hundert tausend million millionen milliarde milliarden prozent "
            "hälfte doppelt"
        ),
        padding=FILLERS | _words("halt eben eigentlich quasi sozusagen irgendwie einfach mal ja okay"),
        restarts=_words("entschuldigung sorry nochmal moment stopp"),
        negations=_words("nicht nein nie niemals kein keine keinen keiner ohne"),
        capital_nouns=True,
        small=_words("mich mir sich uns hier dort noch schon auch nur mehr sehr viel alle"),
        screen=_words(
            "bildschirm klick klicke klickt klicken klickst knopf schaltfläche menü seitenleiste mauszeiger reiter "
            "einstellung einstellungen oberfläche eingabefeld"
        ),
        file_words=_words("aufnahme schnitt kopie entwurf endfassung neu neue teil szene probe kamera"),
        pointers=_phrases(
            "hier seht ihr,hier sehen sie,hier sehen wir,hier siehst du,hier sieht man,ihr seht hier,seht ihr hier,"
            "sehen sie hier,sehen wir hier,siehst du hier,wie ihr seht,wie sie sehen,wie du siehst,zeige ich euch,"
            "zeige ich ihnen,zeige ich dir,ich zeige euch,ich zeige ihnen,ich zeige dir,schaut euch das,schau dir das"
        ),
    ),
    prepositions=_words(
        "in im ins an am ans auf aus bei beim mit nach von vom vor zu zum zur über unter für durch gegen "
        "ohne um bis seit zwischen wegen während trotz"
    ),
)

_FRENCH: Final = _completed(
    Language(
        pronouns=_words("il elle ils elles lui leur eux"),
        pointing=_words("ce c' cela ça cet cette ces celui celle ceux son sa ses leurs tel telle"),
        connectives=_words(
            "et ou mais donc or car alors puis ensuite aussi ainsi pourtant cependant toutefois sinon enfin "
            "d'ailleurs parce"
        ),
        coordinating=_words("et ou mais donc or car ni"),
        subordinating=_words(
            "que qu' parce puisque si quand lorsque lorsqu' comme bien afin pendant tandis qui dont où"
        ),
        subjects=_words("je j' tu nous vous on il elle ils elles c' ça personne chacun quelqu'un"),
        leading=_words(
            "le la les l' un une des mon ma mes ton ta tes notre nos votre vos je j' tu nous vous on ne n' pas "
            "très est sont était étaient suis es êtes sommes ai as a avons avez ont va vais peut peux doit dois "
            "plus se s' me m' te t'"
        ),
        replies=_words("oui non si exactement voilà bien d'accord absolument évidemment okay"),
        begun_replies=_words("pas"),
        address=_words("tu te t' toi ton ta tes vous votre vos nous notre nos"),
        claims=_words(
            "meilleur meilleure meilleurs pire jamais toujours secret erreur doit faut personne pourquoi "
            "comment faux vérité gratuit imagine imaginez arrêtez difficile"
        ),
        mild_claims=_words(
            "plupart chaque seulement seul premier première nouveau nouvelle mieux important besoin problème"
        ),
        numbers=_words(
            "deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize vingt trente "
            "quarante cinquante soixante cent cents mille million millions milliard milliards pourcent moitié "
            "double"
        ),
        padding=FILLERS | _words("ben bah bon genre quoi voilà vraiment juste okay"),
        restarts=_words("pardon désolé reprends recommence attends"),
        negations=_words("ne n' pas non jamais sans aucun aucune rien"),
        small=_words("y en moi ici là plus tout tous toute toutes fait être avoir"),
        screen=_words(
            "écran clic clique cliquez cliquer cliquons bouton curseur navigateur onglet réglages paramètres fenêtre "
            "dossier"
        ),
        file_words=_words("vidéo prise copie montage essai nouveau enregistrement séquence caméra"),
        pointers=_phrases(
            "vous voyez ici,vous pouvez voir,comme vous voyez,comme vous pouvez,tu vois ici,tu peux voir,"
            "comme tu vois,on voit ici,je vous montre,je te montre,vais vous montrer,vais te montrer,regardez ici,"
            "regarde ici"
        ),
    ),
    prepositions=_words(
        "à au aux de du d' dans en sur sous par pour avec sans chez entre vers depuis avant après contre"
    ),
)

_SPANISH: Final = _completed(
    Language(
        pronouns=_words("él ella ellos ellas le les"),
        pointing=_words("esto eso esa ese esta este estos estas esos esas aquello su sus tal"),
        connectives=_words("y e o pero entonces luego así además también porque pues sino aunque después igualmente"),
        coordinating=_words("y e o u pero ni sino"),
        subordinating=_words("que porque si cuando mientras aunque como donde para quien cual pues"),
        subjects=_words("yo tú usted ustedes nosotros vosotros él ella ellos ellas nadie alguien todos uno"),
        leading=_words(
            "el la los las un una unos unas mi mis tu tus su sus nuestro nuestra nuestros no muy es son era "
            "eran está están soy eres somos he has ha hemos han puede puedes debe se me te nos lo le"
        ),
        replies=_words("sí no claro exacto exactamente vale bueno correcto okay"),
        begun_replies=_words("todavía aún"),
        address=_words("tú tu tus te ti usted ustedes vosotros nosotros nuestro nuestra os"),
        claims=_words(
            "mejor mejores peor nunca siempre jamás mayor secreto error debe nadie todos cómo qué falso verdad "
            "gratis imagina difícil"
        ),
        mild_claims=_words("mayoría cada solo sólo primero primera nuevo nueva importante necesitas necesita problema"),
        numbers=_words(
            "dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince veinte treinta "
            "cuarenta cincuenta sesenta setenta ochenta noventa cien ciento mil millón millones ciento mitad "
            "doble"
        ),
        padding=FILLERS | _words("eh pues bueno digamos básicamente realmente okay"),
        restarts=_words("perdón perdona repito espera"),
        negations=_words("no nunca jamás sin ningún ninguno ninguna nada tampoco"),
        small=_words("aquí ahí allí ya más todo toda todos todas ser estar hay mí"),
        screen=_words(
            "pantalla clic clicar pulsa pulsamos botón menú cursor navegador pestaña ajustes configuración interfaz"
        ),
        file_words=_words("vídeo toma copia prueba nuevo grabación escena corte cámara"),
        pointers=_phrases(
            "como pueden ver,como puedes ver,como podéis ver,aquí pueden ver,aquí puedes ver,aquí podéis ver,"
            "aquí vemos,como ven aquí,como ves aquí,les muestro,te muestro,os muestro,os enseño,te enseño,"
            "miren esto,mira esto,mirad esto"
        ),
    ),
    prepositions=_words("a al de del en con sin por para sobre entre hasta desde hacia según contra durante"),
)

_PORTUGUESE: Final = _completed(
    Language(
        pronouns=_words("ele ela eles elas lhe lhes"),
        pointing=_words("isto isso aquilo este esta esse essa estes estas esses essas seu sua seus suas dele dela tal"),
        connectives=_words(
            "e ou mas então depois assim também porque pois porém contudo entretanto aliás portanto senão"
        ),
        coordinating=_words("e ou mas nem porém"),
        subordinating=_words("que porque se quando enquanto embora como onde quem qual pois caso"),
        subjects=_words("eu tu você vocês nós ele ela eles elas ninguém alguém todos"),
        leading=_words(
            "o a os as um uma uns umas meu minha meus minhas teu tua seu sua nosso nossa não muito é são era "
            "eram está estão sou somos tem têm tenho foi pode podes deve vai vou se me te nos"
        ),
        replies=_words("sim não claro exato exatamente certo pois okay"),
        begun_replies=_words("ainda"),
        address=_words("você vocês tu te ti teu tua nós nosso nossa seu sua"),
        claims=_words(
            "melhor melhores pior nunca sempre jamais maior segredo erro deve ninguém todos como porquê falso "
            "verdade grátis imagine imagina difícil"
        ),
        mild_claims=_words("maioria cada só apenas primeiro primeira novo nova importante precisa precisas problema"),
        numbers=_words(
            "dois duas três quatro cinco seis sete oito nove dez onze doze treze catorze quinze vinte trinta "
            "quarenta cinquenta sessenta setenta oitenta noventa cem cento mil milhão milhões metade dobro"
        ),
        padding=FILLERS | _words("é tipo né bom assim basicamente realmente okay"),
        restarts=_words("desculpa desculpe repito espera"),
        negations=_words("não nunca jamais sem nenhum nenhuma nada nem tampouco"),
        small=_words("aqui ali lá já mais tudo todo toda todos ser estar há mim"),
        screen=_words(
            "ecrã tela clique clica clicar clicamos botão cursor navegador aba definições configurações interface"
        ),
        file_words=_words("vídeo tomada cópia teste novo gravação cena corte câmera câmara"),
        pointers=_phrases(
            "vocês podem ver,você pode ver,como podem ver,como pode ver,como vocês veem,aqui podem ver,aqui vemos,"
            "vou mostrar,vou te mostrar,vou lhes mostrar,deixa eu mostrar,veja aqui,vejam aqui,olha só isso"
        ),
    ),
    prepositions=_words(
        "a ao à aos às de do da dos das em no na nos nas num numa com sem por pelo pela para pra sobre entre até desde"
    ),
)

_ITALIAN: Final = _completed(
    Language(
        pronouns=_words("lui lei loro egli essa esso essi esse"),
        pointing=_words("questo questa questi queste quest' quello quella quell' quelli ciò suo sua suoi sue tale"),
        connectives=_words(
            "e ed o ma quindi poi allora così anche inoltre però dunque infatti perché invece pertanto oppure"
        ),
        coordinating=_words("e ed o ma né oppure però"),
        subordinating=_words("che perché se quando mentre come dove poiché affinché benché chi cui finché"),
        subjects=_words("io tu noi voi lui lei loro nessuno qualcuno tutti ognuno"),
        leading=_words(
            "il lo la i gli le l' un uno una un' mio mia miei mie tuo tua nostro nostra vostro non molto è sono "
            "era erano sei siamo ho hai ha abbiamo hanno può puoi deve devi si mi ti ci vi"
        ),
        replies=_words("sì no certo esatto esattamente giusto bene okay assolutamente"),
        begun_replies=_words("non"),
        address=_words("tu te ti tuo tua tuoi voi vi vostro vostra noi nostro nostra"),
        claims=_words(
            "migliore migliori peggiore mai sempre segreto errore deve nessuno tutti perché come sbagliato "
            "verità gratis immagina immaginate difficile"
        ),
        mild_claims=_words("maggior ogni solo soltanto primo prima nuovo nuova meglio importante bisogno problema"),
        numbers=_words(
            "due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici venti "
            "trenta quaranta cinquanta sessanta settanta ottanta novanta cento mille mila milione milioni "
            "miliardi metà doppio"
        ),
        padding=FILLERS | _words("cioè tipo insomma praticamente allora ecco davvero okay"),
        restarts=_words("scusa scusate ripeto aspetta"),
        negations=_words("non no mai senza nessun nessuna niente nulla né"),
        small=_words("qui qua lì là già più tutto tutta tutti essere avere c'è ne me"),
        screen=_words(
            "schermo schermata clic clicca cliccate cliccare clicchiamo pulsante cursore scheda impostazioni "
            "interfaccia"
        ),
        file_words=_words("ripresa copia prova nuovo registrazione scena taglio telecamera"),
        pointers=_phrases(
            "come potete vedere,come puoi vedere,qui potete vedere,qui puoi vedere,qui vediamo,qui vedete,"
            "come vedete,vi mostro,ti mostro,vi faccio vedere,ti faccio vedere,guardate qui,guarda qui"
        ),
    ),
    prepositions=_words(
        "a ad al alla ai alle all' di del della dei delle dell' d' da dal dalla in nel nella nei nelle "
        "nell' con su sul sulla sull' per tra fra senza verso contro durante"
    ),
)

LANGUAGES: Final[Mapping[str, Language]] = MappingProxyType({
    "en": _ENGLISH,
    "de": _GERMAN,
    "fr": _FRENCH,
    "es": _SPANISH,
    "pt": _PORTUGUESE,
    "it": _ITALIAN,
})  # fmt: skip
