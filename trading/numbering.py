"""Order numbers at a venue that takes only rising ones, where a known number means "amend that".

A number is taken in the commit that marks a command as being sent, and never twice. After every
connect the venue says which number it would take next.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Numbers:
    """Of one connection: the highest number taken, the highest the venue has shown, 0 for none.

    ``frozen``: the venue has forgotten numbers (alarm ``id_reset``). Under which of them it still
    knows an order nobody can say, so no new one goes out until a person resumes.
    """

    taken: int = 0
    shown: int = 0
    frozen: bool = False

    def take(self) -> "Numbers":
        """Return the numbers with one more taken: ``taken`` is the new order's.

        :raises ValueError: while frozen.
        """
        if self.frozen:
            raise ValueError("the venue's numbers went back: a person resumes above them first")
        return Numbers(self.taken + 1, self.shown, self.frozen)

    def seen(self, number: int) -> "Numbers":
        """The venue has shown an order under this number."""
        return self if number <= self.shown else Numbers(self.taken, number, self.frozen)

    def connected(self, next_valid: int) -> "Numbers":
        """Compare with the number the venue says it takes next.

        Below one that it has shown, it went back. Above all of ours, others have used the
        numbers between. A number of ours it has not shown may still be on its way: it is skipped.
        """
        if next_valid <= self.shown:
            return replace(self, frozen=True)
        return replace(self, taken=max(self.taken, next_valid - 1))

    def resumed(self, first: int) -> "Numbers":
        """A person's decision to go on at ``first``. :raises ValueError: if that was taken."""
        if first <= self.taken:
            raise ValueError(f"go on above {self.taken}, the highest number taken so far")
        return Numbers(taken=first - 1)
