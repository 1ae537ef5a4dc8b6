"""The small words that tell languages of one script apart.

Articles, pronouns, prepositions, auxiliaries and the words that hold a
derivation together: about four words in ten of any prose are among them. A
word stands in the table of every language that has it, so it weighs for none
of them against another. Not a dictionary: where these words say nothing,
`verifier.language.spans` asks a language identifier.
"""

from __future__ import annotations

SCRIPTS: dict[str, str] = {
    "en": "Latin",
    "zh": "Han",
    "ja": "Kana",
    "ko": "Hangul",
    "ru": "Cyrillic",
    "ar": "Arabic",
    "hi": "Devanagari",
    "de": "Latin",
    "fr": "Latin",
    "es": "Latin",
    "pt": "Latin",
    "it": "Latin",
    "el": "Greek",
    "vi": "Latin",
    "th": "Thai",
    "he": "Hebrew",
    "uk": "Cyrillic",
    "nl": "Latin",
    "pl": "Latin",
    "tr": "Latin",
}
"""The script of each target language (primary subtag of BCP 47), as `prose.by_script` calls it."""

_TABLES = {
    "en": """
        the of and to in is that it for was on are with as be this by we have from or not but if
        so then let me my you your he she his her they them their there which what when where how
        why can could will would should must may might do does did has had been being an at all
        each every any some no into than because since therefore thus hence now first also only
        its our us i'll let's it's that's don't doesn't can't we're we'll i'm isn't these those
        who one two three other more same such both between after before about again wait get
        gives make means equals number answer need know see using given just like here check over
        wrong right think maybe actually however while
    """,
    "de": """
        der die das und ist nicht ein eine einen einem einer eines zu von mit den dem des auf für
        im in an als auch es wir ich sie er ihr wenn dann dass also aber oder wie was wer wo so
        durch bei nach aus um am zum zur sich sind war wird werden wurde hat haben kann können
        muss müssen soll sollte man noch nur schon mehr gibt weil daher denn nun jetzt hier diese
        dieser dieses diesen diesem jede jeder jedes alle allen beide beiden zwei drei erste ersten
        zweite zuerst damit deshalb sein seine sehr mal gleich immer kein keine über unter
        zwischen ab bis doch ja nein mir mich uns erhalten ergibt moment
    """,
    "fr": """
        le la les un une des du de et est en que qui dans pour pas ne sur par avec ce cette ces
        cet il elle nous vous ils elles on se sa son ses au aux plus ou où mais si donc car alors
        comme tout tous toute toutes chaque être sont était peut peuvent doit doivent avoir avons
        ont fait faire deux trois premier première aussi ainsi puis ensuite maintenant parce même
        entre sans sous après avant cela ça c'est d'abord l'on qu'il qu'on n'est d'où lui leur
        leurs je mon ma mes notre votre quand combien quel quelle très bien soit voit obtient
        attends voici puisque égal égale
    """,
    "es": """
        el la los las un una unos unas de del y en que es no se por con para al lo su sus como más
        pero si sí o este esta esto estos estas ese esa eso son ser está están fue hay ha han
        tiene tienen tenemos puede pueden podemos debe deben entonces porque cuando donde cada
        todo todos toda todas dos tres primero primera ahora luego también así entre sin sobre
        desde hasta después antes muy ya le les me nos mi yo ella ellos cuál cuántos cuántas qué
        cómo vamos voy hacer sabemos otra otro vez mismo misma tanto ni siempre espera
    """,
    "pt": """
        o a os as um uma uns umas de do da dos das e em no na nos nas que é não se por com para
        ao aos à às pelo pela mais mas ou como este esta isto esse essa isso são ser está estão
        foi há tem têm temos pode podem podemos deve devem então porque quando onde cada todo
        todos toda todas dois duas três primeiro primeira agora depois também assim entre sem
        sobre desde até antes muito já lhe eu ele ela eles elas nós meu seu sua seus suas qual
        quantos quantas vamos vou fazer sabemos outro outra vez mesmo mesma portanto logo sempre
        espere
    """,
    "it": """
        il lo la i gli le un uno una di del dello della dei degli delle e è in nel nella nei che
        non si per con da dal dalla al allo alla ai alle su sul sulla più ma o come questo questa
        questi queste quello quella sono essere era ha hanno abbiamo può possono possiamo deve
        devono dobbiamo quindi allora perché quando dove ogni tutto tutti tutta tutte due tre
        primo prima ora poi anche così tra fra senza sopra dopo molto già io lui lei noi loro mio
        suo sua quale quanti quante cosa se perciò adesso stesso stessa dall'altro c'è cioè sia
        ci mi ne sempre ancora volta aspetta facciamo
    """,
    "ca": """
        el la els les un una uns unes de del dels i que en és són no es per amb al als ho seu seva
        com més però si o aquest aquesta això aquests aquell ser estar hi ha han té tenim pot podem
        ha deure llavors perquè quan on cada tot tots totes dos dues tres primer primera ara després
        també així entre sense sobre des fins abans molt ja ens nosaltres quants quantes fer sabem
        altra altre vegada mateix mateixa doncs sempre tant hauria espera
    """,
    "nl": """
        de het een en van is dat in op te met voor niet zijn aan er die om ook als dan maar of we
        wij ik je hij ze zij hun dit deze door bij naar uit tot over onder tussen wordt worden werd
        was heeft hebben kan kunnen moet moeten zal zou men nog al meer veel geen dus omdat want
        nu hier waar wat wie hoe elk elke alle beide twee drie eerste tweede eerst daarom dat's
        mijn haar ons onze zich zo wel krijgen krijgt keer nemen weten laat weer toch altijd wacht
    """,
    "pl": """
        i w z na do nie się że to jest jak o po co od dla za przez ale lub albo czy tak więc zatem
        ten ta te tego tej tym tych ten tę są był była było być może można ma mają mamy musi muszą
        gdy jeśli jeżeli ponieważ bo dlatego kiedy gdzie każdy każda każde każdego wszystkie dwa
        dwie dwóch trzy pierwszy pierwszego teraz potem także również więcej bardzo już tylko
        jeszcze który która które którego ich jego jej nas nam my ja ze przed między pod nad bez
        niż oraz czyli ile sobie zawsze wiemy najpierw
    """,
    "tr": """
        ve bir bu da de için ile ne var yok olarak daha çok gibi kadar ama fakat veya ya ise eğer
        çünkü sonra önce şimdi şu o biz ben sen onlar bunu bunun buna burada olan olduğu olduğunu
        olur oldu olmalı değil her iki üç ilk ikinci en hem ki mi mı mu mü kaç nasıl neden hangi
        bütün tüm aynı böyle halde yani dolayısıyla yüzden göre üzere biri bize zaman ancak sadece
        tekrar eder ederiz
    """,
    "vi": """
        là và của có không cho các một được trong với để này đó những khi thì ta tôi chúng mà từ
        vì nên nếu đã sẽ phải cũng như đến ra vào lên hai ba số rồi còn bằng hơn theo về tại do
        vậy hay bao nhiêu mỗi mọi cùng lại sau trước đầu tiên bây giờ đều rằng nhưng hoặc thể
        hãy ở trên dưới nào gì điều tổng
    """,
    "ru": """
        и в не на что с по это как а то из у за от для так же но к о если мы он она они его её их
        бы или при до ли был была было были быть есть нет можно надо нужно может должен должна
        должно тогда когда где чтобы потому поэтому значит также ещё уже только все всех всего
        каждый каждая каждое каждого два две двух три первый первое теперь затем сначала потом
        который которая которые этот эта эти этого том тем чем нам нас мне меня я вы ты под над
        между через больше меньше сколько этом
    """,
    "uk": """
        і й в у не на що з по це як а то із за від для так же але до о якщо ми він вона вони його
        її їх би чи або при був була було були бути є немає можна треба потрібно може повинен має
        тоді коли де щоб тому отже також ще вже тільки лише всі всіх кожен кожна кожне кожного два
        дві двох три перший перше тепер потім спочатку який яка які цей ця ці цього тим нам нас
        мені мене я ви ти під над між через більше менше скільки бо та
    """,
    "bg": """
        и в не на че с по да е са се от за до но или ако ние той тя то те го им със към ще това този
        тази тези защото затова тогава когато където който която което които също още вече само
        всички всяко всеки всяка две два три първо първото сега после след преди между повече колко
        как какво има няма може можем трябва бъде чакай знаем
    """,
    "ar": """
        في من على إلى أن إن هذا هذه ذلك تلك التي الذي هو هي كان كانت يكون لا ما لم لن قد كل بعد قبل
        عن مع أو ثم إذا لأن لذلك إذن نحن يجب يمكن نفس عند بين أي كما حيث منها الآن أولا ليس هناك
        كم ماذا أكثر أكبر عدد لدينا نعلم فإن بما أنه أنا
    """,
    "hi": """
        है हैं का की के में को से और यह वह हम तो कि पर भी ही एक दो तीन था थी थे होता होती होते हो
        नहीं इस उस इसलिए क्योंकि अगर यदि फिर अब जो लिए ने मैं मुझे कर करते करना चाहिए सकते सकता
        बाद पहले हर सभी या लेकिन कितने कितनी कितना क्या इसे हमें अपने जब तब साथ द्वारा अतः
    """,
}

WORDS: dict[str, frozenset[str]] = {name: frozenset(_TABLES[name].split()) for name in _TABLES}

SCRIPT_MATES: dict[str, tuple[str, ...]] = {
    name: tuple(mates)
    for mates in (
        ("en", "de", "fr", "es", "pt", "it", "nl", "pl", "tr", "vi", "ca"),
        ("ru", "uk", "bg"),
        ("ar",),
        ("hi",),
    )
    for name in mates
}
"""The languages of the same script with a table, itself among them."""

RIVALS: dict[str, frozenset[str]] = {
    name: frozenset().union(*(WORDS[mate] for mate in mates)) - WORDS[name]
    for name, mates in SCRIPT_MATES.items()
}
"""For each language, the small words of its script mates that it has not."""

UNIQUE: dict[str, frozenset[str]] = {
    name: WORDS[name].difference(*(WORDS[mate] for mate in mates if mate != name))
    for name, mates in SCRIPT_MATES.items()
}
"""The small words that no script mate of a language has."""

ALPHABETS: dict[str, frozenset[str]] = {
    name: frozenset(plain + more)
    for plain, languages in (
        (
            "abcdefghijklmnopqrstuvwxyz'",
            {
                "en": "",
                "de": "äöüß",
                "fr": "àâæçéèêëîïôœùûü",
                "es": "áéíñóúü",
                "pt": "áâãàçéêíóôõú",
                "it": "àèéìíòóù",
                "nl": "èéëïöü",
                "pl": "ąćęłńóśźż",
                "tr": "âçğıîöşüû\u0307",
            },
        ),
        ("абвгдежзийклмнопрстуфхцчшщьюя'", {"ru": "ёъыэ", "uk": "іїєґ"}),
        (
            "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهويى\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652ـ",
            {"ar": ""},
        ),
    )
    for name, more in languages.items()
}
"""The letters of a language; any other in a sentence speaks for another
language. Not of Vietnamese, whose letters speak for it in its small words."""

ONE_LETTER: dict[str, frozenset[str]] = {
    name: frozenset(letters)
    for name, letters in {
        "en": "ai",
        "fr": "aày",
        "es": "aeouy",
        "pt": "aeoàé",
        "it": "aeioè",
        "pl": "aiouwz",
        "tr": "o",
        "vi": "ýàồừ",
    }.items()
}
"""Words of one Latin letter; any other single letter is a variable."""
