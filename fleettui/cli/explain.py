"""``explain``: stuck things in plain sentences."""

import click

from fleettui.cli.answers import answer_options
from fleettui.cli.options import Asked, fleet_options
from fleettui.cli.output import open_output, render
from fleettui.cli.session import completeness, with_fleet
from fleettui.fleet import Fleet
from fleettui.fleet.pausing_namespaces import read_pausing_namespace
from fleettui.fleet.refs import one_row
from fleettui.index.stuck import stories_of
from fleettui.text import safe_text

SCHEMA = "fleettui.explain/v1"


@click.command()
@click.argument("ref")
@fleet_options
@answer_options()
def explain(ref: str, asked: Asked, form: str, allow_partial: bool, timeout: float) -> int:
    """Explain why one thing does not move: deletion, rollout, provisioning, GitOps.

    REF is [CONTEXT:]KIND/[NAMESPACE/]NAME.
    """
    output = open_output()

    async def work(fleet: Fleet) -> int:
        row = one_row(fleet, ref)
        await read_pausing_namespace(fleet, row)
        stories = stories_of(fleet.index, row, fleet.now())
        if form == "table":
            lines = [] if stories else [f"{row.ref} is not stuck: nothing about it waits"]
            for story in stories:
                lines.append(story.title)
                for sentence in story.sentences:
                    mark = "▶" if sentence.is_blocking else "·"
                    evidence = f"  [{sentence.evidence}]" if sentence.evidence else ""
                    lines.append(f"  {mark} {sentence.text}{evidence}")
                lines += [f"  → {step}" for step in story.next_steps]
            output.write("\n".join(safe_text(line) for line in lines))
        else:
            items = [
                {
                    "title": story.title,
                    "sentences": [
                        {
                            "text": safe_text(sentence.text),
                            "evidence": safe_text(sentence.evidence),
                            "blocking": sentence.is_blocking,
                        }
                        for sentence in story.sentences
                    ],
                    "next_steps": [safe_text(step) for step in story.next_steps],
                }
                for story in stories
            ]
            output.write(render({"schema": SCHEMA, "of": str(row.ref), "items": items}, form))
        return int(completeness(fleet, output, allow_partial=allow_partial))

    return with_fleet(asked.opening(), output, work, timeout_s=timeout)
