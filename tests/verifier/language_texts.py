"""Sentences in each supported language, and mixtures of them whose true share is known.

All sentences were written for these tests, as a chain of thought speaks. Where
a language does not part its words, `|` does: in Japanese particles are words
and the endings of verbs are not, in Chinese and Thai the entries of a
dictionary are. Vietnamese counts syllables, since it parts those.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

SENTENCES: dict[str, tuple[str, ...]] = {
    "en": (
        "First we add the two numbers and then we check the result.",
        "If the remainder is zero, the number can be divided by three.",
        "Wait, I should look at the second case again before going on.",
        "The train leaves the station at noon and arrives two hours later.",
        "Each of the children gets the same number of apples.",
        "So the area of the triangle is half of the base times the height.",
        "This does not work, because the left side is always positive.",
        "Let me try a smaller example to see what happens.",
        "We know that every even number is the sum of two odd numbers.",
        "Therefore the answer must be larger than we thought.",
        "How many ways are there to choose a red ball from the box?",
        "Now put this value into the first equation and solve it.",
    ),
    "de": (
        "Zuerst addieren wir die beiden Zahlen und prüfen dann das Ergebnis.",
        "Wenn der Rest null ist, lässt sich die Zahl durch drei teilen.",
        "Moment, ich sollte mir den zweiten Fall noch einmal ansehen.",
        "Der Zug fährt mittags ab und kommt zwei Stunden später an.",
        "Jedes Kind bekommt gleich viele Äpfel aus dem Korb.",
        "Also ist die Fläche des Dreiecks die Hälfte von Grundseite mal Höhe.",
        "Das geht nicht, weil die linke Seite immer positiv ist.",
        "Ich versuche es mit einem kleineren Beispiel, um zu sehen, was passiert.",
        "Wir wissen, dass jede gerade Zahl die Summe zweier ungerader Zahlen ist.",
        "Daher muss die Antwort größer sein, als wir gedacht haben.",
        "Wie viele Möglichkeiten gibt es, eine rote Kugel zu ziehen?",
        "Jetzt setzen wir diesen Wert in die erste Gleichung ein und lösen sie.",
    ),
    "fr": (
        "D'abord nous additionnons les deux nombres et nous vérifions le résultat.",
        "Si le reste est nul, le nombre est divisible par trois.",
        "Attends, je devrais revoir le deuxième cas avant de continuer.",
        "Le train part à midi et arrive deux heures plus tard.",
        "Chaque enfant reçoit le même nombre de pommes.",
        "Donc l'aire du triangle vaut la moitié de la base fois la hauteur.",
        "Cela ne marche pas, car le membre de gauche est toujours positif.",
        "Essayons un exemple plus petit pour voir ce qui se passe.",
        "On sait que tout nombre pair est la somme de deux nombres impairs.",
        "La réponse doit donc être plus grande que nous ne pensions.",
        "De combien de façons peut-on tirer une boule rouge de la boîte ?",
        "Maintenant, remplaçons cette valeur dans la première équation.",
    ),
    "es": (
        "Primero sumamos los dos números y luego comprobamos el resultado.",
        "Si el resto es cero, el número se puede dividir entre tres.",
        "Espera, debería mirar otra vez el segundo caso antes de seguir.",
        "El tren sale a mediodía y llega dos horas más tarde.",
        "Cada niño recibe la misma cantidad de manzanas.",
        "Entonces el área del triángulo es la mitad de la base por la altura.",
        "Esto no funciona, porque el lado izquierdo siempre es positivo.",
        "Voy a probar con un ejemplo más pequeño para ver qué pasa.",
        "Sabemos que todo número par es la suma de dos números impares.",
        "Por lo tanto, la respuesta debe ser mayor de lo que pensábamos.",
        "¿De cuántas maneras se puede sacar una bola roja de la caja?",
        "Ahora ponemos este valor en la primera ecuación y la resolvemos.",
    ),
    "pt": (
        "Primeiro somamos os dois números e depois verificamos o resultado.",
        "Se o resto for zero, o número pode ser dividido por três.",
        "Espere, eu deveria olhar de novo para o segundo caso.",
        "O trem sai ao meio-dia e chega duas horas mais tarde.",
        "Cada criança recebe a mesma quantidade de maçãs.",
        "Então a área do triângulo é metade da base vezes a altura.",
        "Isso não funciona, porque o lado esquerdo é sempre positivo.",
        "Vou tentar um exemplo menor para ver o que acontece.",
        "Sabemos que todo número par é a soma de dois números ímpares.",
        "Portanto, a resposta deve ser maior do que pensávamos.",
        "De quantas maneiras podemos tirar uma bola vermelha da caixa?",
        "Agora colocamos esse valor na primeira equação e a resolvemos.",
    ),
    "it": (
        "Prima sommiamo i due numeri e poi controlliamo il risultato.",
        "Se il resto è zero, il numero si può dividere per tre.",
        "Aspetta, dovrei guardare di nuovo il secondo caso.",
        "Il treno parte a mezzogiorno e arriva due ore più tardi.",
        "Ogni bambino riceve lo stesso numero di mele.",
        "Quindi l'area del triangolo è la metà della base per l'altezza.",
        "Questo non funziona, perché il lato sinistro è sempre positivo.",
        "Provo con un esempio più piccolo per vedere che cosa succede.",
        "Sappiamo che ogni numero pari è la somma di due numeri dispari.",
        "Perciò la risposta deve essere più grande di quanto pensavamo.",
        "In quanti modi si può estrarre una pallina rossa dalla scatola?",
        "Ora mettiamo questo valore nella prima equazione e la risolviamo.",
    ),
    "nl": (
        "Eerst tellen we de twee getallen op en dan controleren we het resultaat.",
        "Als de rest nul is, kan het getal door drie gedeeld worden.",
        "Wacht, ik moet nog een keer naar het tweede geval kijken.",
        "De trein vertrekt om twaalf uur en komt twee uur later aan.",
        "Elk kind krijgt evenveel appels uit de mand.",
        "Dus de oppervlakte van de driehoek is de helft van de basis maal de hoogte.",
        "Dit werkt niet, omdat de linkerkant altijd positief is.",
        "Ik probeer een kleiner voorbeeld om te zien wat er gebeurt.",
        "We weten dat elk even getal de som is van twee oneven getallen.",
        "Daarom moet het antwoord groter zijn dan we dachten.",
        "Op hoeveel manieren kunnen we een rode bal uit de doos halen?",
        "Nu vullen we deze waarde in de eerste vergelijking in.",
    ),
    "pl": (
        "Najpierw dodajemy obie liczby, a potem sprawdzamy wynik.",
        "Jeśli reszta jest równa zeru, to liczba dzieli się przez trzy.",
        "Chwila, powinienem jeszcze raz spojrzeć na drugi przypadek.",
        "Pociąg odjeżdża w południe i przyjeżdża dwie godziny później.",
        "Każde dziecko dostaje tyle samo jabłek.",
        "Zatem pole trójkąta to połowa podstawy razy wysokość.",
        "To nie działa, bo lewa strona jest zawsze dodatnia.",
        "Spróbuję na mniejszym przykładzie, żeby zobaczyć, co się stanie.",
        "Wiemy, że każda liczba parzysta jest sumą dwóch liczb nieparzystych.",
        "Dlatego odpowiedź musi być większa, niż myśleliśmy.",
        "Na ile sposobów można wyjąć czerwoną kulę z pudełka?",
        "Teraz wstawiamy tę wartość do pierwszego równania.",
    ),
    "tr": (
        "Önce iki sayıyı toplarız ve sonra sonucu kontrol ederiz.",
        "Kalan sıfır ise sayı üçe bölünebilir.",
        "Bir dakika, devam etmeden önce ikinci duruma tekrar bakmalıyım.",
        "Tren öğlen kalkıyor ve iki saat sonra varıyor.",
        "Her çocuk aynı sayıda elma alıyor.",
        "O halde üçgenin alanı taban ile yüksekliğin çarpımının yarısıdır.",
        "Bu işe yaramaz, çünkü sol taraf her zaman pozitiftir.",
        "Ne olduğunu görmek için daha küçük bir örnek deneyeyim.",
        "Her çift sayının iki tek sayının toplamı olduğunu biliyoruz.",
        "Bu yüzden cevap düşündüğümüzden daha büyük olmalı.",
        "Kutudan kırmızı bir topu kaç farklı şekilde seçebiliriz?",
        "Şimdi bu değeri ilk denkleme koyup çözelim.",
    ),
    "vi": (
        "Trước hết ta cộng hai số rồi kiểm tra kết quả.",
        "Nếu số dư bằng không thì số đó chia hết cho ba.",
        "Khoan đã, tôi nên xem lại trường hợp thứ hai trước khi làm tiếp.",
        "Tàu rời ga lúc giữa trưa và đến nơi sau hai giờ.",
        "Mỗi đứa trẻ nhận được cùng một số táo.",
        "Vậy diện tích tam giác bằng một nửa đáy nhân với chiều cao.",
        "Cách này không được, vì vế trái luôn luôn dương.",
        "Hãy thử một ví dụ nhỏ hơn để xem điều gì xảy ra.",
        "Ta biết rằng mọi số chẵn đều là tổng của hai số lẻ.",
        "Do đó đáp án phải lớn hơn chúng ta nghĩ.",
        "Có bao nhiêu cách để lấy một quả bóng đỏ từ trong hộp?",
        "Bây giờ thay giá trị này vào phương trình đầu tiên.",
    ),
    "ru": (
        "Сначала сложим два числа, а потом проверим результат.",
        "Если остаток равен нулю, то число делится на три.",
        "Стоп, мне надо ещё раз посмотреть на второй случай.",
        "Поезд отправляется в полдень и прибывает через два часа.",
        "Каждый ребёнок получает одинаковое количество яблок.",
        "Значит, площадь треугольника равна половине основания на высоту.",
        "Это не подходит, потому что левая часть всегда положительна.",
        "Попробую пример поменьше, чтобы увидеть, что получится.",
        "Мы знаем, что любое чётное число есть сумма двух нечётных чисел.",
        "Поэтому ответ должен быть больше, чем мы думали.",
        "Сколькими способами можно вынуть красный шар из коробки?",
        "Теперь подставим это значение в первое уравнение.",
    ),
    "uk": (
        "Спочатку додамо два числа, а потім перевіримо результат.",
        "Якщо остача дорівнює нулю, то число ділиться на три.",
        "Стривай, мені треба ще раз подивитися на другий випадок.",
        "Поїзд вирушає опівдні й прибуває через дві години.",
        "Кожна дитина отримує однакову кількість яблук.",
        "Отже, площа трикутника дорівнює половині основи на висоту.",
        "Це не підходить, бо ліва частина завжди додатна.",
        "Спробую менший приклад, щоб побачити, що вийде.",
        "Ми знаємо, що будь-яке парне число є сумою двох непарних.",
        "Тому відповідь має бути більшою, ніж ми думали.",
        "Скількома способами можна вийняти червону кулю з коробки?",
        "Тепер підставимо це значення в перше рівняння.",
    ),
    "el": (
        "Πρώτα προσθέτουμε τους δύο αριθμούς και μετά ελέγχουμε το αποτέλεσμα.",
        "Αν το υπόλοιπο είναι μηδέν, ο αριθμός διαιρείται με το τρία.",
        "Στάσου, πρέπει να δω ξανά τη δεύτερη περίπτωση.",
        "Το τρένο φεύγει το μεσημέρι και φτάνει δύο ώρες αργότερα.",
        "Κάθε παιδί παίρνει τον ίδιο αριθμό μήλων.",
        "Άρα το εμβαδόν του τριγώνου είναι το μισό της βάσης επί το ύψος.",
        "Αυτό δεν γίνεται, γιατί το αριστερό μέλος είναι πάντα θετικό.",
        "Ας δοκιμάσω ένα μικρότερο παράδειγμα για να δω τι συμβαίνει.",
        "Ξέρουμε ότι κάθε ζυγός αριθμός είναι άθροισμα δύο περιττών.",
        "Επομένως η απάντηση πρέπει να είναι μεγαλύτερη.",
        "Με πόσους τρόπους μπορούμε να βγάλουμε μια κόκκινη μπάλα;",
        "Τώρα βάζουμε αυτή την τιμή στην πρώτη εξίσωση.",
    ),
    "ar": (
        "أولا نجمع العددين ثم نتحقق من النتيجة.",
        "إذا كان الباقي صفرا فإن العدد يقبل القسمة على ثلاثة.",
        "لحظة، يجب أن أنظر مرة أخرى إلى الحالة الثانية.",
        "يغادر القطار عند الظهر ويصل بعد ساعتين.",
        "يحصل كل طفل على نفس العدد من التفاح.",
        "إذن مساحة المثلث هي نصف القاعدة في الارتفاع.",
        "هذا لا يصح، لأن الطرف الأيسر موجب دائما.",
        "سأجرب مثالا أصغر لأرى ماذا يحدث.",
        "نعلم أن كل عدد زوجي هو مجموع عددين فرديين.",
        "لذلك يجب أن يكون الجواب أكبر مما ظننا.",
        "بكم طريقة يمكن سحب كرة حمراء من الصندوق؟",
        "الآن نعوض هذه القيمة في المعادلة الأولى.",
    ),
    "he": (
        "קודם נחבר את שני המספרים ואחר כך נבדוק את התוצאה.",
        "אם השארית היא אפס, המספר מתחלק בשלוש.",
        "רגע, אני צריך להסתכל שוב על המקרה השני.",
        "הרכבת יוצאת בצהריים ומגיעה אחרי שעתיים.",
        "כל ילד מקבל אותו מספר של תפוחים.",
        "לכן שטח המשולש הוא חצי הבסיס כפול הגובה.",
        "זה לא עובד, כי אגף שמאל תמיד חיובי.",
        "אנסה דוגמה קטנה יותר כדי לראות מה קורה.",
        "אנחנו יודעים שכל מספר זוגי הוא סכום של שני מספרים.",
        "לכן התשובה צריכה להיות גדולה ממה שחשבנו.",
        "בכמה דרכים אפשר להוציא כדור אדום מהקופסה?",
        "עכשיו נציב את הערך הזה במשוואה הראשונה.",
    ),
    "hi": (
        "पहले हम दोनों संख्याओं को जोड़ते हैं और फिर परिणाम जाँचते हैं।",
        "अगर शेषफल शून्य है तो संख्या तीन से विभाजित होती है।",
        "रुको, मुझे दूसरी स्थिति को एक बार फिर देखना चाहिए।",
        "रेलगाड़ी दोपहर में चलती है और दो घंटे बाद पहुँचती है।",
        "हर बच्चे को बराबर सेब मिलते हैं।",
        "इसलिए त्रिभुज का क्षेत्रफल आधार और ऊँचाई के गुणनफल का आधा है।",
        "यह नहीं चलेगा क्योंकि बायाँ पक्ष हमेशा धनात्मक है।",
        "मैं एक छोटा उदाहरण लेकर देखता हूँ कि क्या होता है।",
        "हम जानते हैं कि हर सम संख्या दो विषम संख्याओं का योग है।",
        "इसलिए उत्तर हमारे अनुमान से बड़ा होना चाहिए।",
        "डिब्बे से एक लाल गेंद कितने तरीकों से निकाल सकते हैं?",
        "अब इस मान को पहले समीकरण में रखते हैं।",
    ),
    "ko": (
        "먼저 두 수를 더하고 그다음에 결과를 확인합니다.",
        "나머지가 영이면 그 수는 삼으로 나누어집니다.",
        "잠깐, 계속하기 전에 두 번째 경우를 다시 봐야 합니다.",
        "기차는 정오에 출발해서 두 시간 뒤에 도착합니다.",
        "아이들은 모두 같은 개수의 사과를 받습니다.",
        "따라서 삼각형의 넓이는 밑변과 높이를 곱한 값의 절반입니다.",
        "왼쪽 변이 항상 양수이므로 이 방법은 안 됩니다.",
        "무슨 일이 일어나는지 더 작은 예를 들어 보겠습니다.",
        "모든 짝수는 두 홀수의 합이라는 것을 알고 있습니다.",
        "그러므로 답은 우리가 생각한 것보다 커야 합니다.",
        "상자에서 빨간 공을 꺼내는 방법은 몇 가지입니까?",
        "이제 이 값을 첫 번째 식에 넣어서 풉니다.",
    ),
    "zh": (
        "首先|我们|把|两|个|数|加|起来，然后|检查|结果。",
        "如果|余数|是|零，那么|这个|数|可以|被|三|整除。",
        "等等，在|继续|之前，我|应该|再|看|一下|第二|种|情况。",
        "火车|中午|离开|车站，两|个|小时|以后|到达。",
        "每|个|孩子|得到|同样|多|的|苹果。",
        "所以|三角形|的|面积|等于|底|乘以|高|的|一半。",
        "这样|不行，因为|左边|总是|正|的。",
        "让|我|用|一|个|小|一点|的|例子|来|看看|会|发生|什么。",
        "我们|知道，每|个|偶数|都|是|两|个|奇数|的|和。",
        "因此，答案|一定|比|我们|想象|的|大。",
        "从|盒子|里|取出|一|个|红色|的|球|有|多少|种|方法？",
        "现在|把|这个|值|代入|第一|个|方程，然后|求解。",
    ),
    "ja": (
        "まず|二つ|の|数|を|足して、次|に|結果|を|確かめます。",
        "余り|が|ゼロ|なら、その|数|は|三|で|割り切れます。",
        "待って、続ける|前|に|二番目|の|場合|を|もう|一度|見る|べき|です。",
        "電車|は|正午|に|駅|を|出て、二|時間|後|に|着きます。",
        "どの|子供|も|同じ|数|の|りんご|を|もらいます。",
        "したがって|三角形|の|面積|は|底辺|と|高さ|の|積|の|半分|です。",
        "左辺|は|いつも|正|な|ので、これ|は|うまく|いきません。",
        "何|が|起こる|か|を|見る|ため|に、もっと|小さい|例|を|試します。",
        "どの|偶数|も|二つ|の|奇数|の|和|である|こと|を|知って|います。",
        "だから|答え|は|思った|より|大きい|はず|です。",
        "箱|から|赤い|玉|を|一つ|取り出す|方法|は|何|通り|ありますか？",
        "では、この|値|を|最初|の|方程式|に|代入して|解きましょう。",
    ),
    "th": (
        "ก่อน|อื่น|เรา|บวก|จำนวน|ทั้ง|สอง|แล้ว|ตรวจสอบ|ผลลัพธ์",
        "ถ้า|เศษ|เป็น|ศูนย์ จำนวน|นั้น|ก็|หาร|ด้วย|สาม|ลงตัว",
        "เดี๋ยว|ก่อน ฉัน|ควร|ดู|กรณี|ที่|สอง|อีก|ครั้ง",
        "รถไฟ|ออก|จาก|สถานี|ตอน|เที่ยง|และ|มา|ถึง|หลังจาก|นั้น|สอง|ชั่วโมง",
        "เด็ก|แต่ละ|คน|ได้รับ|แอปเปิล|จำนวน|เท่า|กัน",
        "ดังนั้น|พื้นที่|ของ|สามเหลี่ยม|เท่ากับ|ครึ่ง|หนึ่ง|ของ|ฐาน|คูณ|ความสูง",
        "วิธี|นี้|ใช้|ไม่|ได้ เพราะ|ด้าน|ซ้าย|เป็น|บวก|เสมอ",
        "ลอง|ใช้|ตัวอย่าง|ที่|เล็ก|กว่า|เพื่อ|ดู|ว่า|เกิด|อะไร|ขึ้น",
        "เรา|รู้|ว่า|จำนวน|คู่|ทุก|จำนวน|เป็น|ผลรวม|ของ|จำนวน|คี่|สอง|จำนวน",
        "เพราะฉะนั้น|คำตอบ|ต้อง|มาก|กว่า|ที่|เรา|คิด",
        "มี|กี่|วิธี|ใน|การ|หยิบ|ลูกบอล|สี|แดง|จาก|กล่อง",
        "ตอนนี้|แทน|ค่า|นี้|ใน|สมการ|แรก|แล้ว|แก้|สมการ",
    ),
}

NOT_WORDS = (
    "$x^2 + \\text{speed} \\cdot t = 5$",
    "\\[ \\sum_{i=1}^{n} i = \\frac{n(n+1)}{2} \\quad \\text{for all } n \\]",
    "\n```python\n# count the words of a line\nfor word in line.split():\n    total += 1\n```\n",
    "`total_of_words`",
    "(3 + 4 = 7)",
    "https://example.org/a/page?of=words",
    "\\boxed{\\text{apples and pears}}",
    "<step>",
)
"""What belongs to no language, to be strewn into a text."""


@dataclass(frozen=True)
class Mixture:
    """A text, and its words in one language and in all, counted by hand."""

    text: str
    target: int
    total: int

    @property
    def share(self) -> float:
        return self.target / self.total


def words(sentence: str) -> int:
    """The words of a sentence as its author parted them."""
    parts = re.split(r"[|\s,，、。]+", sentence)
    return sum(any(letter.isalpha() for letter in part) for part in parts)


def plain(sentence: str) -> str:
    return sentence.replace("|", "")


def mixture(target: str, other: str, level: float, sentences: int, seed: int) -> Mixture:
    """A text of which `level` of the sentences are in `target`, the rest in `other`.

    An even `seed` shuffles them, an odd one leaves them in two blocks. Of two
    levels the higher one replaces sentences and moves none.
    """
    rng = random.Random(f"{target} {other} {seed}")
    places = list(range(sentences))
    if seed % 2 == 0:
        rng.shuffle(places)
    chosen = set(places[: round(level * sentences)])
    parts, counts = [], {target: 0, other: 0}
    for place in range(sentences):
        language = target if place in chosen else other
        sentence = SENTENCES[language][(place + seed) % len(SENTENCES[language])]
        counts[language] += words(sentence)
        parts.append(plain(sentence))
        parts.append(rng.choice(NOT_WORDS) if rng.random() < 0.5 else "")
        parts.append(rng.choice((" ", "\n", "\n\n")))
    return Mixture(" ".join(parts), counts[target], counts[target] + counts[other])
