"""What a person may do from a console, always with a reason.

A verb names its effect, takes a reason and perhaps a choice, and calls a service for each row.
The page between the button and the deed is the same for all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from common.errors import Refused

REASON_SHORTEST = 10
REASON_LONGEST = 500
ROWS_AT_ONCE = 200

# The request, the row (None for a verb of a whole list), the reason and the choices made; returns
# what happened in one line. :raises Refused: if the service refuses.
Run = Callable[[HttpRequest, Any, str, Mapping[str, str]], str]


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing to do with a row, or with the firm as a whole (``on_list``)."""

    name: str
    label: str
    effect: str
    run: Run
    icon: str = "bolt"
    on_list: bool = False
    fits: Callable[[Any], bool] = lambda _: True
    choices: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a verb did with one row."""

    subject: str
    done: bool
    text: str


def reason_form(verb: Verb, data: Any = None) -> forms.Form:
    """Return the form of a verb: its choices, then the reason."""
    fields: dict[str, forms.Field] = {
        name: forms.ChoiceField(choices=options, widget=UnfoldAdminSelectWidget())
        for name, options in verb.choices.items()
    }
    fields["reason"] = forms.CharField(
        min_length=REASON_SHORTEST,
        max_length=REASON_LONGEST,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autofocus": True}),
        help_text=f"At least {REASON_SHORTEST} characters. It is kept with what happens.",
    )
    form_class: type[forms.Form] = type("ReasonForm", (forms.Form,), fields)
    return form_class(data)


def carry_out(
    verb: Verb, request: HttpRequest, rows: list[Model | None], answers: Mapping[str, str]
) -> list[Outcome]:
    """Run the verb for each row; a row that is refused holds up no other."""
    choices = {name: answers[name] for name in verb.choices}
    outcomes = []
    for row in rows:
        subject = "The firm" if row is None else str(row)
        try:
            with transaction.atomic():
                text = verb.run(request, row, answers["reason"], choices)
        except Refused as refusal:
            outcomes.append(Outcome(subject, done=False, text=str(refusal)))
        else:
            outcomes.append(Outcome(subject, done=True, text=text))
    return outcomes
