"""C-Eval (52 subjects), CMMLU (67 subjects) and CLUEWSC2020 (who a pronoun means), zero-shot."""

from __future__ import annotations

from functools import partial

from evals.benchmark import Benchmark, Question, r1, user
from evals.benchmarks.mmlu import choice_question
from evals.data import Data
from evals.hub import Table

CEVAL = (
    "以下是中国关于{subject}考试的单项选择题，请选出其中的正确答案。\n\n"
    "{question}\n{options}\n答案："
)
"""hkust-nlp/ceval, code/evaluator_series/evaluators/chatgpt.py, `eval_subject` without examples;
R1 is asked without a system prompt."""

CMMLU = (
    "以下是关于{subject}的单项选择题，请分析并选出正确答案。\n\n"
    "题目：{question}\n{options}\n逐步分析并给出答案选项。"
)
"""haonan-li/CMMLU@0b27e9f4, src/mp_utils.py, `gen_prompt` and `format_example` with `cot`."""

CLUEWSC = "{text}\n此处，“{span2}”是否指代“{span1}“？\nA. 是\nB. 否\n请从”A“，”B“中进行选择。\n答："
"""open-compass/opencompass@8c1dff3c, configs/datasets/FewCLUE_cluewsc, gen_c68933; CLUE itself has
no prompt."""

LETTERS = "ABCD"

CEVAL_SUBJECTS = {
    "computer_network": "计算机网络",
    "operating_system": "操作系统",
    "computer_architecture": "计算机组成",
    "college_programming": "大学编程",
    "college_physics": "大学物理",
    "college_chemistry": "大学化学",
    "advanced_mathematics": "高等数学",
    "probability_and_statistics": "概率统计",
    "discrete_mathematics": "离散数学",
    "electrical_engineer": "注册电气工程师",
    "metrology_engineer": "注册计量师",
    "high_school_mathematics": "高中数学",
    "high_school_physics": "高中物理",
    "high_school_chemistry": "高中化学",
    "high_school_biology": "高中生物",
    "middle_school_mathematics": "初中数学",
    "middle_school_biology": "初中生物",
    "middle_school_physics": "初中物理",
    "middle_school_chemistry": "初中化学",
    "veterinary_medicine": "兽医学",
    "college_economics": "大学经济学",
    "business_administration": "工商管理",
    "marxism": "马克思主义基本原理",
    "mao_zedong_thought": "毛泽东思想和中国特色社会主义理论体系概论",
    "education_science": "教育学",
    "teacher_qualification": "教师资格",
    "high_school_politics": "高中政治",
    "high_school_geography": "高中地理",
    "middle_school_politics": "初中政治",
    "middle_school_geography": "初中地理",
    "modern_chinese_history": "近代史纲要",
    "ideological_and_moral_cultivation": "思想道德修养与法律基础",
    "logic": "逻辑学",
    "law": "法学",
    "chinese_language_and_literature": "中国语言文学",
    "art_studies": "艺术学",
    "professional_tour_guide": "导游资格",
    "legal_professional": "法律职业资格",
    "high_school_chinese": "高中语文",
    "high_school_history": "高中历史",
    "middle_school_history": "初中历史",
    "civil_servant": "公务员",
    "sports_science": "体育学",
    "plant_protection": "植物保护",
    "basic_medicine": "基础医学",
    "clinical_medicine": "临床医学",
    "urban_and_rural_planner": "注册城乡规划师",
    "accountant": "注册会计师",
    "fire_engineer": "注册消防工程师",
    "environmental_impact_assessment_engineer": "环境影响评价工程师",
    "tax_accountant": "税务师",
    "physician": "医师资格",
}
"""hkust-nlp/ceval, subject_mapping.json."""

CMMLU_SUBJECTS = {
    "agronomy": "农学",
    "anatomy": "解剖学",
    "ancient_chinese": "古汉语",
    "arts": "艺术学",
    "astronomy": "天文学",
    "business_ethics": "商业伦理",
    "chinese_civil_service_exam": "中国公务员考试",
    "chinese_driving_rule": "中国驾驶规则",
    "chinese_food_culture": "中国饮食文化",
    "chinese_foreign_policy": "中国外交政策",
    "chinese_history": "中国历史",
    "chinese_literature": "中国文学",
    "chinese_teacher_qualification": "中国教师资格",
    "clinical_knowledge": "临床知识",
    "college_actuarial_science": "大学精算学",
    "college_education": "大学教育学",
    "college_engineering_hydrology": "大学工程水文学",
    "college_law": "大学法律",
    "college_mathematics": "大学数学",
    "college_medical_statistics": "大学医学统计",
    "college_medicine": "大学医学",
    "computer_science": "计算机科学",
    "computer_security": "计算机安全",
    "conceptual_physics": "概念物理学",
    "construction_project_management": "建设工程管理",
    "economics": "经济学",
    "education": "教育学",
    "electrical_engineering": "电气工程",
    "elementary_chinese": "小学语文",
    "elementary_commonsense": "小学常识",
    "elementary_information_and_technology": "小学信息技术",
    "elementary_mathematics": "初等数学",
    "ethnology": "民族学",
    "food_science": "食品科学",
    "genetics": "遗传学",
    "global_facts": "全球事实",
    "high_school_biology": "高中生物",
    "high_school_chemistry": "高中化学",
    "high_school_geography": "高中地理",
    "high_school_mathematics": "高中数学",
    "high_school_physics": "高中物理学",
    "high_school_politics": "高中政治",
    "human_sexuality": "人类性行为",
    "international_law": "国际法学",
    "journalism": "新闻学",
    "jurisprudence": "法理学",
    "legal_and_moral_basis": "法律与道德基础",
    "logical": "逻辑学",
    "machine_learning": "机器学习",
    "management": "管理学",
    "marketing": "市场营销",
    "marxist_theory": "马克思主义理论",
    "modern_chinese": "现代汉语",
    "nutrition": "营养学",
    "philosophy": "哲学",
    "professional_accounting": "专业会计",
    "professional_law": "专业法学",
    "professional_medicine": "专业医学",
    "professional_psychology": "专业心理学",
    "public_relations": "公共关系",
    "security_study": "安全研究",
    "sociology": "社会学",
    "sports_science": "体育学",
    "traditional_chinese_medicine": "中医中药",
    "virology": "病毒学",
    "world_history": "世界历史",
    "world_religions": "世界宗教",
}
"""haonan-li/CMMLU@7aa0f6f4, src/categories.py."""


def _ceval_table(split: str) -> Table:
    return Table(
        f"ceval/{split}.jsonl",
        f"ceval/ceval-exam, all configurations, split {split}, as JSON Lines with config (the "
        "subject), id, question, A, B, C, D, answer",
        "ceval/ceval-exam",
        "617524a00b307ff6f9933702f724131fe12ca7ce",
        configs=tuple(CEVAL_SUBJECTS),
        split=split,
    )


CLUEWSC_DEV = Table(
    "cluewsc/dev.json",
    "dev.json of CLUE's cluewsc2020_public.zip (CLUEbenchmark/CLUEWSC2020), as it is",
)


def _options(row: dict[str, str]) -> list[str]:
    return [row[letter] for letter in LETTERS]


def _listed(options: list[str]) -> str:
    return "\n".join(f"{letter}. {text}" for letter, text in zip(LETTERS, options, strict=True))


def _ceval(data: Data, *, split: str) -> list[Question]:
    questions = []
    for row in _ceval_table(split).rows(data):
        options = _options(row)
        prompt = CEVAL.format(
            subject=CEVAL_SUBJECTS[row["config"]],
            question=row["question"],
            options=_listed(options),
        )
        questions.append(
            choice_question(
                f"{row['config']}-{row['id']}",
                user(prompt),
                options,
                LETTERS.find(row["answer"]),
                slices={"subject": row["config"]},
            )
        )
    return questions


def _cmmlu(data: Data) -> list[Question]:
    questions = []
    for subject, name in CMMLU_SUBJECTS.items():
        table = Table(
            f"cmmlu/test/{subject}.csv",
            "unpack cmmlu_v1_0_1.zip of haonan-li/CMMLU (CC BY-NC 4.0) as cmmlu/",
        )
        for place, row in enumerate(table.rows(data)):
            options = _options(row)
            prompt = CMMLU.format(subject=name, question=row["Question"], options=_listed(options))
            questions.append(
                choice_question(
                    f"{subject}-{place}",
                    user(prompt),
                    options,
                    LETTERS.find(row["Answer"]),
                    slices={"subject": subject},
                )
            )
    return questions


def _cluewsc(data: Data) -> list[Question]:
    return [
        choice_question(
            f"cluewsc-{place}",
            user(
                CLUEWSC.format(
                    text=row["text"],
                    span1=row["target"]["span1_text"],
                    span2=row["target"]["span2_text"],
                )
            ),
            ("是", "否"),
            ("true", "false").index(row["label"]),
        )
        for place, row in enumerate(CLUEWSC_DEV.rows(data))
    ]


_CEVAL_SOURCE = (
    "Huang et al., arXiv 2305.08322 (CC BY-NC-SA 4.0); its own prompt, zero-shot; checked by the "
    "choice verifier"
)
BENCHMARKS: tuple[Benchmark, ...] = (
    Benchmark(
        name="ceval",
        title="C-Eval, validation",
        source=_CEVAL_SOURCE,
        load=partial(_ceval, split="val"),
        protocols=(r1(4),),
    ),
    Benchmark(
        name="ceval_test",
        title="C-Eval, test",
        source=_CEVAL_SOURCE,
        load=partial(_ceval, split="test"),
        protocols=(r1(4),),
    ),
    Benchmark(
        name="cmmlu",
        title="CMMLU",
        source="Li et al., arXiv 2306.09212 (CC BY-NC 4.0); its own prompt with reasoning, "
        "zero-shot; checked by the choice verifier",
        load=_cmmlu,
        protocols=(r1(4),),
    ),
    Benchmark(
        name="cluewsc",
        title="CLUEWSC2020, development set",
        source="Xu et al., arXiv 2004.05986; prompt of OpenCompass, zero-shot; checked by the "
        "choice verifier",
        load=_cluewsc,
        protocols=(r1(16),),
    ),
)
