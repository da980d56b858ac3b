"""What a person may do from a console, always with a reason.

A verb names its effect, takes a reason (a code and words) and perhaps further answers, and calls a
service for each row. The page between the button and the deed is the same for all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from common.errors import Refused

REASON_SHORTEST = 10
REASON_LONGEST = 400
ROWS_AT_ONCE = 200

Words = tuple[tuple[str, str], ...]
OTHER = ("other", "Something else")
REASONS: Words = (
    ("client_request", "The client asked for it"),
    ("desk_request", "The desk asked for it"),
    ("error", "Something was entered wrongly"),
    ("risk", "Too much risk"),
    ("venue_trouble", "Trouble at the venue"),
    ("system_trouble", "Trouble of ours"),
    OTHER,
)

# The request, the row (None for a verb of a whole list), the reason and the answers given; returns
# what happened in one line. :raises Refused: if the service refuses.
Run = Callable[[HttpRequest, Any, str, Mapping[str, str]], str]


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing to do with a row, or with the firm as a whole (``on_list``).

    ``effect`` says what will happen, as a sentence or worked out from the rows. ``choices`` are
    further questions with given answers (worked out when asked, if callable), ``texts`` further
    questions answered in words, each with its help. ``stops`` marks what stops or ends something.
    """

    name: str
    label: str
    effect: str | Callable[[Sequence[Any]], str]
    run: Run
    icon: str = "bolt"
    on_list: bool = False
    stops: bool = False
    fits: Callable[[Any], bool] = lambda _: True
    reasons: Words = REASONS
    choices: Mapping[str, Words | Callable[[], Words]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    def effect_on(self, rows: Sequence[Any]) -> str:
        """Return what will happen to these rows."""
        return self.effect if isinstance(self.effect, str) else self.effect(rows)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a verb did with one row."""

    subject: str
    done: bool
    text: str
    row: Any = None
    url: str = ""


def reason_form(verb: Verb, data: Any = None) -> forms.Form:
    """Return the form of a verb: its questions, then the reason."""
    fields: dict[str, forms.Field] = {
        name: forms.ChoiceField(
            choices=options() if callable(options) else options, widget=UnfoldAdminSelectWidget()
        )
        for name, options in verb.choices.items()
    }
    for name, help_text in verb.texts.items():
        fields[name] = forms.CharField(
            min_length=REASON_SHORTEST,
            max_length=REASON_LONGEST,
            widget=UnfoldAdminTextInputWidget(),
            help_text=help_text,
        )
    fields["reason_code"] = forms.ChoiceField(
        label="Why", choices=(("", "Choose a reason"), *verb.reasons),
        widget=UnfoldAdminSelectWidget(),
    )  # fmt: skip
    fields["reason"] = forms.CharField(
        label="In your words",
        min_length=REASON_SHORTEST,
        max_length=REASON_LONGEST,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=f"At least {REASON_SHORTEST} characters. Kept with your name and what happens.",
    )
    form_class: type[forms.Form] = type("ReasonForm", (forms.Form,), fields)
    return form_class(data, auto_id="id_verb_%s")


def carry_out(
    verb: Verb, request: HttpRequest, rows: list[Model | None], answers: Mapping[str, str]
) -> list[Outcome]:
    """Run the verb for each row; a row that is refused holds up no other."""
    asked = {name: answers[name] for name in (*verb.choices, *verb.texts)}
    reason = f"{answers['reason_code']}: {answers['reason']}"
    outcomes = []
    for row in rows:
        subject = "The firm" if row is None else str(row)
        try:
            with transaction.atomic():
                text = verb.run(request, row, reason, asked)
        except Refused as refusal:
            outcomes.append(Outcome(subject, done=False, text=str(refusal), row=row))
        else:
            outcomes.append(Outcome(subject, done=True, text=text, row=row))
    return outcomes
