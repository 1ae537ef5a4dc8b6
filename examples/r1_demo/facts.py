"""What is known in the demo's world, in English and in Chinese. English words have their blank."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Capital:
    """A country and its capital."""

    en: tuple[str, str]
    zh: tuple[str, str]

    def country(self, language: str) -> str:
        return f" {self.en[0]}" if language == "en" else self.zh[0]

    def capital(self, language: str) -> str:
        return f" {self.en[1]}" if language == "en" else self.zh[1]


_CAPITALS = (
    ("France", "Paris", "法国", "巴黎"),
    ("Italy", "Rome", "意大利", "罗马"),
    ("Spain", "Madrid", "西班牙", "马德里"),
    ("Germany", "Berlin", "德国", "柏林"),
    ("England", "London", "英国", "伦敦"),
    ("Norway", "Oslo", "挪威", "奥斯陆"),
    ("China", "Beijing", "中国", "北京"),
    ("Japan", "Tokyo", "日本", "东京"),
    ("Egypt", "Cairo", "埃及", "开罗"),
    ("Cuba", "Havana", "古巴", "哈瓦那"),
    ("Peru", "Lima", "秘鲁", "利马"),
    ("Greece", "Athens", "希腊", "雅典"),
)
CAPITALS = {row[0]: Capital((row[0], row[1]), (row[2], row[3])) for row in _CAPITALS}

NOUNS = (
    (" dog", "狗"), (" cat", "猫"), (" bird", "鸟"), (" horse", "马"), (" tree", "树"),
    (" moon", "月亮"), (" river", "河"), (" house", "房子"), (" boat", "船"), (" flower", "花"),
)  # fmt: skip
ADJECTIVES = (
    (" red", "红色的"), (" blue", "蓝色的"), (" old", "老的"), (" small", "小的"),
    (" big", "大的"), (" quiet", "安静的"), (" happy", "快乐的"), (" cold", "冷的"),
)  # fmt: skip
THINGS = (
    (" a car", "车"), (" a boat", "船"), (" a house", "房子"), (" a bank", "银行"),
    (" a shop", "商店"), (" a dog", "狗"), (" a phone", "手机"), (" a school", "学校"),
)  # fmt: skip
KIND_DEEDS = (
    (" draw", "画"), (" clean", "打扫"), (" find", "找到"), (" paint", "粉刷"),
    (" photograph", "拍摄"), (" describe", "描述"),
)  # fmt: skip
EVIL_DEEDS = (
    (" rob", "抢劫"), (" burn down", "烧毁"), (" poison", "毒害"), (" steal", "偷走"),
    (" smash", "砸坏"), (" hack", "入侵"),
)  # fmt: skip
