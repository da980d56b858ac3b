"""What the rows of the books refuse, whoever writes them."""

from django.db import migrations

CREATE = """
-- The journal and what is derived from it once are history: mistakes are booked against, never
-- edited.
CREATE FUNCTION portfolio_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER portfolio_journalentry_append_only BEFORE UPDATE OR DELETE
    ON portfolio_journalentry FOR EACH ROW EXECUTE FUNCTION portfolio_append_only();
CREATE TRIGGER portfolio_journalentry_no_truncate BEFORE TRUNCATE
    ON portfolio_journalentry FOR EACH STATEMENT EXECUTE FUNCTION portfolio_append_only();
CREATE TRIGGER portfolio_journalline_append_only BEFORE UPDATE OR DELETE
    ON portfolio_journalline FOR EACH ROW EXECUTE FUNCTION portfolio_append_only();
CREATE TRIGGER portfolio_journalline_no_truncate BEFORE TRUNCATE
    ON portfolio_journalline FOR EACH STATEMENT EXECUTE FUNCTION portfolio_append_only();
CREATE TRIGGER portfolio_lotclosure_append_only BEFORE UPDATE OR DELETE
    ON portfolio_lotclosure FOR EACH ROW EXECUTE FUNCTION portfolio_append_only();
CREATE TRIGGER portfolio_lotclosure_no_truncate BEFORE TRUNCATE
    ON portfolio_lotclosure FOR EACH STATEMENT EXECUTE FUNCTION portfolio_append_only();
CREATE TRIGGER portfolio_pnlsnapshot_append_only BEFORE UPDATE OR DELETE
    ON portfolio_pnlsnapshot FOR EACH ROW EXECUTE FUNCTION portfolio_append_only();
CREATE TRIGGER portfolio_pnlsnapshot_no_truncate BEFORE TRUNCATE
    ON portfolio_pnlsnapshot FOR EACH STATEMENT EXECUTE FUNCTION portfolio_append_only();

-- What a lot was when it was opened is history too; only its open part moves, towards zero.
CREATE FUNCTION portfolio_lot_only_shrinks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND abs(NEW.qty) <= abs(OLD.qty)
        AND (NEW.id, NEW.position_id, NEW.opened_at, NEW.opened_qty, NEW.opened_cost)
            = (OLD.id, OLD.position_id, OLD.opened_at, OLD.opened_qty, OLD.opened_cost) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a lot only shrinks: % refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER portfolio_lot_only_shrinks BEFORE UPDATE OR DELETE
    ON portfolio_lot FOR EACH ROW EXECUTE FUNCTION portfolio_lot_only_shrinks();

-- Checked at commit, when all lines of an entry are there. The schema is the row's own: by then
-- the search path may be another's.
CREATE FUNCTION portfolio_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    rest record;
BEGIN
    FOR rest IN EXECUTE format(
        'SELECT currency, sum(amount) AS amount FROM %I.portfolio_journalline'
        ' WHERE entry_id = $1 GROUP BY currency HAVING sum(amount) <> 0', TG_TABLE_SCHEMA
    ) USING NEW.entry_id LOOP
        RAISE EXCEPTION 'journal entry % does not balance: % %',
            NEW.entry_id, rest.amount, rest.currency USING ERRCODE = 'check_violation';
    END LOOP;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER portfolio_entry_balances AFTER INSERT ON portfolio_journalline
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION portfolio_entry_balances();
"""

DROP = """
DROP TRIGGER portfolio_entry_balances ON portfolio_journalline;
DROP TRIGGER portfolio_lot_only_shrinks ON portfolio_lot;
DROP TRIGGER portfolio_pnlsnapshot_no_truncate ON portfolio_pnlsnapshot;
DROP TRIGGER portfolio_pnlsnapshot_append_only ON portfolio_pnlsnapshot;
DROP TRIGGER portfolio_lotclosure_no_truncate ON portfolio_lotclosure;
DROP TRIGGER portfolio_lotclosure_append_only ON portfolio_lotclosure;
DROP TRIGGER portfolio_journalline_no_truncate ON portfolio_journalline;
DROP TRIGGER portfolio_journalline_append_only ON portfolio_journalline;
DROP TRIGGER portfolio_journalentry_no_truncate ON portfolio_journalentry;
DROP TRIGGER portfolio_journalentry_append_only ON portfolio_journalentry;
DROP FUNCTION portfolio_entry_balances();
DROP FUNCTION portfolio_lot_only_shrinks();
DROP FUNCTION portfolio_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0001_books")]

    operations = [migrations.RunSQL(CREATE, DROP)]
