#!/usr/bin/env python3
"""Completes a wheel into which auditwheel has put the shared libraries of vidpairs.

usage: finish_wheel.py WHEEL --ffmpeg DIR --crates FILE --out DIR      (packages: scripts/package/requirements.txt)

Adds the licence notices of everything in the wheel, states the licence of the whole, adds the pipelines, and replaces the script that starts
the program. Refuses a wheel that needs a library which is neither in the wheel nor part of every Linux, or with a library of unknown origin.
"""
import argparse
import json
import re
import shutil
import subprocess
import sys
from email import message_from_string
from pathlib import Path
from urllib.parse import quote

from auditwheel.wheeltools import InWheelCtx
from elftools.elf.elffile import ELFFile

FFMPEG = {"libavcodec", "libavformat", "libavutil", "libswresample", "libswscale"}
# glibc, the run-time library of GCC, and zlib, on which Python itself depends.
OF_EVERY_LINUX = {"ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6", "libgcc_s.so.1", "libz.so.1"}
LICENSES = Path("/usr/share/common-licenses")
LICENSE = "(MIT OR Apache-2.0) AND GPL-3.0-or-later"

# auditwheel's own script finds the program in the environment of its Python only, not after "pip install --user".
START = """\
#!python
# Starts vidpairs, which lies beside its libraries. vidpairs-torch and vidpairs-opencv lie beside this file, or in PATH.
import os
import sys

os.environ["PATH"] = os.path.dirname(os.path.realpath(__file__)) + os.pathsep + os.environ.get("PATH", os.defpath)
for folder in sys.path:
    program = os.path.join(folder, "vidpairs.scripts", "vidpairs")
    if os.path.isfile(program):
        os.execv(program, sys.argv)
sys.exit(f"vidpairs: no vidpairs.scripts/vidpairs in {sys.path}; install the wheel again")
"""

NOTICE = """\
Licence of this wheel
=====================

The source code of vidpairs is under MIT or Apache-2.0, as you like: LICENSE-MIT, LICENSE-APACHE.

This wheel also contains shared libraries, among them x264 and an FFmpeg that is built with x264. Both are under the GNU General
Public License, version 2 or later. Crates in the program are under Apache-2.0, which is compatible with version 3 only. The wheel
as a whole may therefore be distributed under the terms of the GNU General Public License, version 3 or later:
bundled/common-licenses/GPL-3. Using the program is not restricted, and the licence does not extend to what is made with it.

Whoever distributes the wheel must offer the corresponding source too: the source of vidpairs, which has the build script
(scripts/package.sh), the crates named in its Cargo.lock, and the Debian source packages of the libraries below. The build script
stores those of FFmpeg and x264 beside the wheel.

Bundled libraries, and the Debian packages that they come from
--------------------------------------------------------------

{table}

bundled/ has the copyright file of each package, and bundled/common-licenses the licences that these files refer to. The crates
in the program have their licences in crates.txt.

FFmpeg is unmodified but for Debian's patches and was built with these options of configure:

{options}
"""


def needed_libraries(path):
    with path.open("rb") as file:
        dynamic = ELFFile(file).get_section_by_name(".dynamic")
        return {tag.needed for tag in dynamic.iter_tags() if tag.entry.d_tag == "DT_NEEDED"}


def check_libraries(root):
    """Names of the bundled libraries. Stops if one that is needed is missing."""
    (folder,) = root.glob("*.libs")
    bundled = sorted(path.name for path in folder.iterdir())
    (scripts,) = root.glob("*.scripts")
    for path in [*folder.iterdir(), *scripts.iterdir()]:
        missing = needed_libraries(path) - set(bundled) - OF_EVERY_LINUX
        if missing:
            sys.exit(f"finish_wheel: {path.name} needs {', '.join(sorted(missing))}, which the wheel does not contain")
    return bundled


def stem(bundled):
    """`libavcodec` of `libavcodec-386bf3b8.so.59.37.100`."""
    return original_name(bundled).partition(".so")[0]


def original_name(bundled):
    """The file name that a library had before auditwheel put a hash into it."""
    return re.sub(r"^(.*)-[0-9a-f]{8}(\.so.*)$", r"\1\2", bundled)


def debian_package(library):
    """Name and version of the Debian package that a bundled library was copied from. Stops if no installed package has it."""
    name = original_name(library)
    found = subprocess.run(["dpkg-query", "-S", f"*/{name}"], capture_output=True, text=True, check=False).stdout
    if not found:
        sys.exit(f"finish_wheel: no installed Debian package has {name}, so its licence is unknown")
    package = found.split("\n")[0].partition(": ")[0].split(",")[0]
    show = ["dpkg-query", "-W", "-f", "${Version}", package]
    version = subprocess.run(show, capture_output=True, text=True, check=True).stdout
    return package.partition(":")[0], version


def add_notices(root, ffmpeg, crates):
    (dist_info,) = root.glob("*.dist-info")
    licenses = dist_info / "licenses"
    notices = licenses / "bundled"
    libraries = check_libraries(root)
    of_ffmpeg = [name for name in libraries if stem(name) in FFMPEG]
    origins = {name: debian_package(name) for name in libraries if name not in of_ffmpeg}

    copyrights = {"ffmpeg": ffmpeg / "copyright"}
    copyrights |= {package: Path("/usr/share/doc") / package / "copyright" for package, _ in origins.values()}
    referred_to = {"GPL-2", "GPL-3"}
    for name, source in copyrights.items():
        text = source.read_text(encoding="utf-8", errors="replace")
        (notices / name).mkdir(parents=True)
        (notices / name / "copyright").write_text(text, encoding="utf-8")
        referred_to |= set(re.findall(r"/usr/share/common-licenses/([\w.-]*\w)", text))
    (notices / "common-licenses").mkdir()
    for name in sorted(referred_to):
        if (LICENSES / name).exists():
            shutil.copyfile(LICENSES / name, notices / "common-licenses" / name)
    shutil.copyfile(crates, licenses / "crates.txt")

    (dsc,) = (ffmpeg / "source").glob("ffmpeg_*.dsc")
    source, version = dsc.stem.split("_")
    rows = [(stem(name), f"{source} {version}, built with the options below") for name in of_ffmpeg]
    rows += [(stem(name), f"{package} {version}") for name, (package, version) in origins.items()]
    notice = NOTICE.format(
        table="\n".join(f"- {library}: {origin}" for library, origin in rows),
        options="\n".join(f"    {option}" for option in (ffmpeg / "configuration").read_text().split("\n") if option),
    )
    (licenses / "NOTICE.txt").write_text(notice, encoding="utf-8")
    state_license(dist_info)
    complete_bills_of_materials(dist_info, [(source, version), *origins.values()])
    return rows


def complete_bills_of_materials(dist_info, packages):
    """Adds the Debian packages that auditwheel does not recognise, and removes the build folder from the names of crates."""
    path = dist_info / "sboms" / "auditwheel.cdx.json"
    bill = json.loads(path.read_text())
    known = {part["name"] for part in bill["components"]}
    for name, version in packages:
        if name not in known:
            purl = f"pkg:deb/debian/{name}@{quote(version, safe='')}"
            bill["components"].append({"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl})
    path.write_text(json.dumps(bill))
    path = dist_info / "sboms" / "vidpairs.cyclonedx.json"
    path.write_text(path.read_text().replace(str(Path.cwd()), "/vidpairs"))


def state_license(dist_info):
    """Writes the licence of the whole, and the licence files, into the wheel's metadata."""
    path = dist_info / "METADATA"
    head, _, body = path.read_text(encoding="utf-8").partition("\n\n")
    lines = [line for line in head.split("\n") if not line.startswith(("License-File:", "License-Expression:", "License:"))]
    lines.append(f"License-Expression: {LICENSE}")
    files = sorted((dist_info / "licenses").rglob("*"))
    lines += [f"License-File: {file.relative_to(dist_info / 'licenses').as_posix()}" for file in files if file.is_file()]
    text = "\n".join(lines) + "\n\n" + body
    assert message_from_string(text)["License-Expression"] == LICENSE
    path.write_text(text, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--ffmpeg", type=Path, required=True, help="what scripts/package/ffmpeg.sh built")
    parser.add_argument("--crates", type=Path, required=True, help="what crate_notices.py wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder for the finished wheel")
    arguments = parser.parse_args()
    ffmpeg, crates, out = (path.resolve() for path in (arguments.ffmpeg, arguments.crates, arguments.out))
    pipelines = Path("pipelines").resolve()
    out.mkdir(parents=True, exist_ok=True)
    finished = out / arguments.wheel.name
    with InWheelCtx(arguments.wheel.resolve(), finished) as wheel:
        rows = add_notices(wheel.path, ffmpeg, crates)
        (data,) = wheel.path.glob("*.data")
        (data / "scripts" / "vidpairs").write_text(START)
        shutil.copytree(pipelines, data / "data" / "share" / "vidpairs" / "pipelines")
    for library, origin in rows:
        print(f"package: bundled: {library}: {origin}")


if __name__ == "__main__":
    main()
