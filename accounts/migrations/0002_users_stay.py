"""Users are deactivated, never deleted: the database refuses what the models refuse."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION accounts_user_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'users are deactivated, never deleted' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER accounts_user_stays BEFORE DELETE ON accounts_user
    FOR EACH ROW EXECUTE FUNCTION accounts_user_stays();
"""
BACKWARD = """
DROP TRIGGER accounts_user_stays ON accounts_user;
DROP FUNCTION accounts_user_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
