"""Writes a C file that holds files as bytes: embed.py OUTPUT SYMBOL FILE...

The C file defines `const struct gt_embedded SYMBOL[]`, sorted by name and ended by a NULL name, and
`const char SYMBOL_digest[]`, which changes when any of the files does; see core/embed.h.
"""
import hashlib
import pathlib
import sys


def literal(data: bytes) -> str:
    lines = (data[i:i + 20] for i in range(0, len(data), 20))
    return ",\n".join(",".join(str(b) for b in line) for line in lines)


def main(output: str, symbol: str, files: list[str]) -> None:
    paths = sorted((pathlib.Path(f) for f in files), key=lambda p: p.name)
    out = ['#include "core/embed.h"\n']
    rows = []
    digest = hashlib.sha256()
    for number, path in enumerate(paths):
        data = path.read_bytes()
        digest.update(hashlib.sha256(data).digest())
        out.append(f"static const unsigned char bytes_{number}[] = {{{literal(data + bytes(1))}}};\n")
        rows.append(f'    {{"{path.name}", bytes_{number}, {len(data)}}},\n')
    out.append(f"extern const struct gt_embedded {symbol}[];\n")
    out.append(f"const struct gt_embedded {symbol}[] = {{\n{''.join(rows)}    {{0}},\n}};\n")
    out.append(f"extern const char {symbol}_digest[];\n")
    out.append(f'const char {symbol}_digest[] = "{digest.hexdigest()}";\n')
    pathlib.Path(output).write_text("".join(out))


main(sys.argv[1], sys.argv[2], sys.argv[3:])
