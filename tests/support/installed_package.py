"""A package put where Python finds it as installed, without pip: its folder, and the dist-info that its pyproject.toml says."""

import csv
import shutil
import tomllib


def install(source, site):
    """Copy the packages of a project folder into `site`, with metadata, entry points and a list of files; returns `site`."""
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
    names = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    for name in names:
        shutil.copytree(source / name, site / name, ignore=shutil.ignore_patterns("__pycache__"))
    described = project["project"]
    info = site / f"{described['name'].replace('-', '_')}-{described['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.3\nName: {described['name']}\nVersion: {described['version']}\n", encoding="utf-8"
    )
    groups = described.get("entry-points", {})
    lines = [
        line for group, points in groups.items() for line in (f"[{group}]", *(f"{n} = {v}" for n, v in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    listed = [path for name in names for path in (site / name).rglob("*") if path.is_file()] + list(info.iterdir())
    with (info / "RECORD").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([str(path.relative_to(site)), "", ""] for path in [*listed, info / "RECORD"])
    return site
