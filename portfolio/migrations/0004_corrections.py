"""Lots and closures can be stated anew by a correction; the journal says what stood before."""

from django.db import migrations, models
from django.db.models import F, Q

GUARDS = """
-- The one edit a closure takes: the correction that overtakes it writes its id, once.
CREATE FUNCTION portfolio_closure_superseded_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.superseded_by IS NULL AND NEW.superseded_by IS NOT NULL
        AND (NEW.id, NEW.lot_id, NEW.execution_id, NEW.at, NEW.qty, NEW.cost, NEW.proceeds)
            = (OLD.id, OLD.lot_id, OLD.execution_id, OLD.at, OLD.qty, OLD.cost, OLD.proceeds) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER portfolio_lotclosure_append_only ON portfolio_lotclosure;
CREATE TRIGGER portfolio_lotclosure_append_only BEFORE UPDATE OR DELETE
    ON portfolio_lotclosure FOR EACH ROW EXECUTE FUNCTION portfolio_closure_superseded_once();

CREATE OR REPLACE FUNCTION portfolio_lot_only_shrinks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.id, NEW.position_id, NEW.opened_at)
            = (OLD.id, OLD.position_id, OLD.opened_at)
        AND (NEW.revision = OLD.revision + 1
            OR (NEW.revision = OLD.revision AND abs(NEW.qty) <= abs(OLD.qty)
                AND (NEW.opened_qty, NEW.opened_cost) = (OLD.opened_qty, OLD.opened_cost))) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a lot only shrinks: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
"""

OLD_GUARDS = """
CREATE OR REPLACE FUNCTION portfolio_lot_only_shrinks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND abs(NEW.qty) <= abs(OLD.qty)
        AND (NEW.id, NEW.position_id, NEW.opened_at, NEW.opened_qty, NEW.opened_cost)
            = (OLD.id, OLD.position_id, OLD.opened_at, OLD.opened_qty, OLD.opened_cost) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a lot only shrinks: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER portfolio_lotclosure_append_only ON portfolio_lotclosure;
CREATE TRIGGER portfolio_lotclosure_append_only BEFORE UPDATE OR DELETE
    ON portfolio_lotclosure FOR EACH ROW EXECUTE FUNCTION portfolio_append_only();
DROP FUNCTION portfolio_closure_superseded_once();
"""

REASONS = ["FILL", "DEPOSIT", "REVERSAL", "REBOOKING"]


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0003_closures_by_execution")]

    operations = [
        migrations.AddField("lot", "revision", models.IntegerField(default=0)),
        migrations.AddField(
            "lotclosure", "superseded_by", models.CharField(max_length=64, null=True)
        ),
        migrations.AlterField(
            "journalentry",
            "reason",
            models.CharField(choices=[(one, one) for one in REASONS], max_length=16),
        ),
        migrations.RemoveConstraint("journalentry", "portfolio_journalentry_reason"),
        migrations.AddConstraint(
            "journalentry",
            models.CheckConstraint(
                condition=Q(reason__in=REASONS), name="portfolio_journalentry_reason"
            ),
        ),
        migrations.RemoveConstraint("lot", "portfolio_lot_not_empty"),
        migrations.AddConstraint(
            "lot",
            models.CheckConstraint(
                condition=~Q(opened_qty=0) | Q(revision__gt=0, opened_cost=0),
                name="portfolio_lot_not_empty",
            ),
        ),
        migrations.RemoveConstraint("lot", "portfolio_lot_open_part"),
        migrations.AddConstraint(
            "lot",
            models.CheckConstraint(
                condition=Q(opened_qty__gt=0, qty__gte=0, qty__lte=F("opened_qty"))
                | Q(opened_qty__lt=0, qty__lte=0, qty__gte=F("opened_qty"))
                | Q(opened_qty=0, qty=0),
                name="portfolio_lot_open_part",
            ),
        ),
        migrations.RemoveConstraint("lotclosure", "portfolio_lotclosure_once"),
        migrations.AddConstraint(
            "lotclosure",
            models.UniqueConstraint(
                fields=["lot", "execution_id"],
                condition=Q(superseded_by=None),
                name="portfolio_lotclosure_once",
            ),
        ),
        migrations.RunSQL(GUARDS, OLD_GUARDS),
    ]
