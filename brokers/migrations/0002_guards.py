"""What SQL itself refuses: edits of stored messages and of the venue's journal, a change of mode."""

from django.db import migrations

GUARDS = """
CREATE FUNCTION brokers_refuse_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER broker_message_append_only BEFORE UPDATE OR DELETE ON broker_message
    FOR EACH ROW EXECUTE FUNCTION brokers_refuse_edit();
CREATE TRIGGER paper_execution_append_only BEFORE UPDATE OR DELETE ON paper_execution
    FOR EACH ROW EXECUTE FUNCTION brokers_refuse_edit();
CREATE TRIGGER paper_client_id_append_only BEFORE UPDATE OR DELETE ON paper_client_id
    FOR EACH ROW EXECUTE FUNCTION brokers_refuse_edit();

CREATE FUNCTION brokers_refuse_new_mode() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'mode and code of % never change', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER broker_connection_mode_fixed BEFORE UPDATE OF mode ON broker_connection
    FOR EACH ROW WHEN (OLD.mode IS DISTINCT FROM NEW.mode)
    EXECUTE FUNCTION brokers_refuse_new_mode();
CREATE TRIGGER broker_account_mode_fixed BEFORE UPDATE OF mode, code ON broker_account
    FOR EACH ROW WHEN (OLD.mode IS DISTINCT FROM NEW.mode OR OLD.code IS DISTINCT FROM NEW.code)
    EXECUTE FUNCTION brokers_refuse_new_mode();
"""

DROP_GUARDS = """
DROP TRIGGER broker_account_mode_fixed ON broker_account;
DROP TRIGGER broker_connection_mode_fixed ON broker_connection;
DROP TRIGGER paper_client_id_append_only ON paper_client_id;
DROP TRIGGER paper_execution_append_only ON paper_execution;
DROP TRIGGER broker_message_append_only ON broker_message;
DROP FUNCTION brokers_refuse_new_mode();
DROP FUNCTION brokers_refuse_edit();
"""


class Migration(migrations.Migration):
    dependencies = [("brokers", "0001_books")]

    operations = [migrations.RunSQL(GUARDS, DROP_GUARDS)]
