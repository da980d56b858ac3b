from django.db import migrations, models

GUARD = """
CREATE OR REPLACE FUNCTION risk_halt_lifted_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a halt is lifted, never deleted' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.lifted_at IS NOT NULL
       OR (OLD.id, OLD.scope, OLD.target, OLD.state, OLD.reason, OLD.set_by, %(old)sOLD.since)
          IS DISTINCT FROM
          (NEW.id, NEW.scope, NEW.target, NEW.state, NEW.reason, NEW.set_by, %(new)sNEW.since) THEN
        RAISE EXCEPTION 'a halt changes once, when it is lifted'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
"""


class Migration(migrations.Migration):
    """Who answers for a halt is kept, and guarded as the rest of it."""

    dependencies = [("risk", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="halt",
            name="set_by_person",
            field=models.BigIntegerField(null=True),
        ),
        migrations.RunSQL(
            GUARD % {"old": "OLD.set_by_person, ", "new": "NEW.set_by_person, "},
            GUARD % {"old": "", "new": ""},
        ),
    ]
