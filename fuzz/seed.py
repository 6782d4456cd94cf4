"""Seeds for the fuzz targets, cut from the fixtures: `python3 fuzz/seed.py`, then run a target.

Targets that put a magic before their input get the fixture without it.
"""
import glob
import hashlib
import os
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(HERE, "..", "tests", "fixtures")
FORMATS = [
    ("hermes", "hermes-*.hbc", 8), ("il2cpp", "il2cpp-*.dat", 4), ("assembly", "*.dll", 2), ("flutter", "dart-*.so", 4),
    ("sqlite", "bank*.db", 16), ("wxapkg", "*.wxapkg", 14), ("scripts", "*.luac", 0), ("scripts", "sealed.*", 0),
    ("plist", "Info.plist", 8), ("macho", "*.o", 4), ("pdf", "*.pdf", 5), ("native", "*.so", 4), ("text", "*.js", 0),
    ("bundle", "*.unity3d", 8), ("assemblies", "*.blob", 4), ("gzip", "*.gz", 3),
]


def keep(target, data):
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, hashlib.sha256(data).hexdigest()[:16]), "wb") as out:
        out.write(data)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def members(path):
    """Entries of a package, each for the target that reads it."""
    with zipfile.ZipFile(path) as package:
        for name in package.namelist():
            data = package.read(name)
            if name.endswith(".xml") and data[:2] == b"\x03\x00":
                keep("axml", data)
            elif name == "resources.arsc":
                keep("arsc", data)
            elif name.endswith(".dex"):
                keep("dex", data[8:])
            elif name.endswith(".RSA"):
                keep("certificate", data)
            elif name.startswith("assets/"):
                keep("text", data)


for path in glob.glob(f"{FIXTURES}/apks/**/*.apk", recursive=True):
    keep("zip", read(path))
    members(path)
for target, pattern, magic in FORMATS:
    for path in glob.glob(f"{FIXTURES}/formats/{pattern}"):
        keep(target, read(path)[magic:])
for path in glob.glob(f"{FIXTURES}/formats/*.docx") + glob.glob(f"{FIXTURES}/formats/*.xlsx"):
    with zipfile.ZipFile(path) as document:
        for name in document.namelist():
            keep("office", document.read(name))
for path in glob.glob(f"{FIXTURES}/listings/*.json"):
    keep("listing", read(path))
for path in glob.glob(f"{HERE}/../signatures/*/*.toml"):
    keep("signature", read(path))
for path in glob.glob(f"{FIXTURES}/timestamp/timestamp.ts?"):
    keep("timestamp", read(path))
