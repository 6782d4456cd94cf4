#!/usr/bin/env python3
"""Makes words.bin from the word list of jieba 0.42.1 (PyPI, MIT): see README.md.

    pip download --no-deps --no-binary :all: jieba==0.42.1 && tar xzf jieba-0.42.1.tar.gz
    python3 make.py jieba-0.42.1/jieba/dict.txt words.bin
"""
import math
import struct
import sys

LEAST = 10          # times a word of several characters was counted
SLOTS = 1 << 18     # places of the table
UNIT = 8            # units of cost to the nat
LONGEST = 4         # characters of a word: four of 16 bits fill the key
SPREAD = 0x9E3779B97F4A7C15


def is_han(c):
    return "\u4e00" <= c <= "\u9fff"


def hashed(word):
    key = 0
    for c in word:
        key = key << 16 | ord(c)
    mixed = key * SPREAD & (1 << 64) - 1
    mixed ^= mixed >> 29
    return mixed * SPREAD & (1 << 64) - 1


def main(source, target):
    words = {}
    for line in open(source, encoding="utf-8"):
        word, times, _ = line.rsplit(" ", 2)
        if 1 <= len(word) <= LONGEST and all(map(is_han, word)):
            words[word] = int(times)
    total = sum(words.values())
    table = [0] * SLOTS
    kept = sorted(w for w, n in words.items() if len(w) == 1 or n >= LEAST)
    for word in kept:
        cost = min(255, max(1, round(-math.log(max(words[word], 1) / total) * UNIT)))
        mixed = hashed(word)
        slot = mixed >> 46
        mark = (mixed >> 8) & 0xFFFFFF
        while table[slot]:
            assert table[slot] >> 8 != mark, word
            slot = (slot + 1) % SLOTS
        table[slot] = mark << 8 | cost
    open(target, "wb").write(struct.pack(f"<{SLOTS}I", *table))
    print(len(kept), "words of", total, "counted")


main(*sys.argv[1:])
