"""What SQL itself refuses: edits of the ledger and of events, status changes no order can make.

The pairs are those of ``trading.orders.table.allowed_pairs`` (a test compares them).
"""

from django.db import migrations

GUARDS = """
CREATE FUNCTION oms_refuse_edit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER oms_execution_append_only BEFORE UPDATE OR DELETE ON oms_execution
    FOR EACH ROW EXECUTE FUNCTION oms_refuse_edit();
CREATE TRIGGER oms_order_event_append_only BEFORE UPDATE OR DELETE ON oms_order_event
    FOR EACH ROW EXECUTE FUNCTION oms_refuse_edit();
CREATE TRIGGER oms_cl_ord_id_append_only BEFORE UPDATE OR DELETE ON oms_cl_ord_id
    FOR EACH ROW EXECUTE FUNCTION oms_refuse_edit();
CREATE TRIGGER oms_order_stays BEFORE DELETE ON oms_order
    FOR EACH ROW EXECUTE FUNCTION oms_refuse_edit();

CREATE FUNCTION oms_check_status_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (CASE OLD.ord_status
        WHEN 'CANCELED' THEN NEW.ord_status IN (
            'EXPIRED', 'FILLED')
        WHEN 'DONE_FOR_DAY' THEN NEW.ord_status IN (
            'CANCELED', 'EXPIRED', 'FILLED', 'NEW', 'PARTIALLY_FILLED', 'PENDING_CANCEL',
            'PENDING_REPLACE', 'REJECTED', 'STOPPED', 'SUSPENDED')
        WHEN 'EXPIRED' THEN NEW.ord_status IN (
            'CANCELED', 'FILLED')
        WHEN 'FILLED' THEN NEW.ord_status IN (
            'CANCELED', 'DONE_FOR_DAY', 'EXPIRED', 'NEW', 'PARTIALLY_FILLED', 'PENDING_CANCEL',
            'PENDING_REPLACE', 'STOPPED', 'SUSPENDED')
        WHEN 'NEW' THEN NEW.ord_status IN (
            'CANCELED', 'DONE_FOR_DAY', 'EXPIRED', 'FILLED', 'PARTIALLY_FILLED',
            'PENDING_CANCEL', 'PENDING_REPLACE', 'REJECTED', 'STOPPED', 'SUSPENDED')
        WHEN 'PARTIALLY_FILLED' THEN NEW.ord_status IN (
            'CANCELED', 'DONE_FOR_DAY', 'EXPIRED', 'FILLED', 'NEW', 'PENDING_CANCEL',
            'PENDING_REPLACE', 'STOPPED', 'SUSPENDED')
        WHEN 'PENDING_CANCEL' THEN NEW.ord_status IN (
            'CANCELED', 'DONE_FOR_DAY', 'EXPIRED', 'FILLED', 'NEW', 'PARTIALLY_FILLED',
            'PENDING_NEW', 'PENDING_REPLACE', 'REJECTED', 'STOPPED', 'SUSPENDED')
        WHEN 'PENDING_NEW' THEN NEW.ord_status IN (
            'CANCELED', 'DONE_FOR_DAY', 'EXPIRED', 'FILLED', 'NEW', 'PARTIALLY_FILLED',
            'PENDING_CANCEL', 'PENDING_REPLACE', 'REJECTED', 'STOPPED', 'SUSPENDED')
        WHEN 'PENDING_REPLACE' THEN NEW.ord_status IN (
            'CANCELED', 'DONE_FOR_DAY', 'EXPIRED', 'FILLED', 'NEW', 'PARTIALLY_FILLED',
            'PENDING_CANCEL', 'PENDING_NEW', 'REJECTED', 'STOPPED', 'SUSPENDED')
        WHEN 'REJECTED' THEN NEW.ord_status IN (
            'CANCELED', 'EXPIRED', 'FILLED', 'NEW', 'PARTIALLY_FILLED')
        WHEN 'STOPPED' THEN NEW.ord_status IN (
            'CANCELED', 'DONE_FOR_DAY', 'EXPIRED', 'FILLED', 'NEW', 'PARTIALLY_FILLED',
            'PENDING_CANCEL', 'PENDING_REPLACE', 'REJECTED', 'SUSPENDED')
        WHEN 'SUSPENDED' THEN NEW.ord_status IN (
            'CANCELED', 'DONE_FOR_DAY', 'EXPIRED', 'FILLED', 'NEW', 'PARTIALLY_FILLED',
            'PENDING_CANCEL', 'PENDING_REPLACE', 'REJECTED', 'STOPPED')
        ELSE false END) THEN
        RAISE EXCEPTION 'order % cannot go from % to %', OLD.id, OLD.ord_status, NEW.ord_status
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER oms_order_status_change BEFORE UPDATE OF ord_status ON oms_order
    FOR EACH ROW WHEN (OLD.ord_status IS DISTINCT FROM NEW.ord_status)
    EXECUTE FUNCTION oms_check_status_change();
"""

DROP_GUARDS = """
DROP TRIGGER oms_order_status_change ON oms_order;
DROP FUNCTION oms_check_status_change();
DROP TRIGGER oms_order_stays ON oms_order;
DROP TRIGGER oms_cl_ord_id_append_only ON oms_cl_ord_id;
DROP TRIGGER oms_order_event_append_only ON oms_order_event;
DROP TRIGGER oms_execution_append_only ON oms_execution;
DROP FUNCTION oms_refuse_edit();
"""


class Migration(migrations.Migration):
    dependencies = [("oms", "0001_orders")]

    operations = [migrations.RunSQL(GUARDS, DROP_GUARDS)]
