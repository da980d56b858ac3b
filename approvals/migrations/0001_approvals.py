"""Requests that take two people, and the guard that lets each change once."""

from django.db import migrations, models

GUARDS = """
-- A request is kept for ever and changes once: when it is answered.
CREATE FUNCTION approvals_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'an approval is decided, never deleted'
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> 'WAITING' OR NEW.state = 'WAITING'
       OR (OLD.id, OLD.kind, OLD.subject, OLD.scope, OLD.effect, OLD.reason, OLD.data, OLD.maker,
           OLD.made_at, OLD.expires_at)
          IS DISTINCT FROM
          (NEW.id, NEW.kind, NEW.subject, NEW.scope, NEW.effect, NEW.reason, NEW.data, NEW.maker,
           NEW.made_at, NEW.expires_at) THEN
        RAISE EXCEPTION 'an approval changes once, when it is decided'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approvals_decided_once BEFORE UPDATE OR DELETE ON approvals_approval
    FOR EACH ROW EXECUTE FUNCTION approvals_decided_once();
"""

DROP_GUARDS = """
DROP TRIGGER approvals_decided_once ON approvals_approval;
DROP FUNCTION approvals_decided_once();
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Approval',
            fields=[
                ('id', models.CharField(max_length=26, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=32)),
                ('subject', models.CharField(max_length=64)),
                ('scope', models.CharField(max_length=32)),
                ('effect', models.CharField(max_length=500)),
                ('reason', models.CharField(max_length=500)),
                ('data', models.JSONField(default=dict)),
                ('maker', models.CharField(max_length=200)),
                ('made_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('WAITING', 'Waiting'), ('APPROVED', 'Approved'), ('REFUSED', 'Refused'), ('WITHDRAWN', 'Withdrawn'), ('LAPSED', 'Lapsed')], default='WAITING', max_length=9)),
                ('checker', models.CharField(blank=True, default='', max_length=200)),
                ('decided_at', models.DateTimeField(null=True)),
                ('decision_reason', models.CharField(blank=True, default='', max_length=500)),
                ('outcome', models.CharField(blank=True, default='', max_length=500)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'WAITING')), fields=['made_at'], name='approval_waiting')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'WAITING')), fields=('kind', 'subject'), name='approval_waits_once'), models.CheckConstraint(condition=models.Q(('state__in', ['WAITING', 'APPROVED', 'REFUSED', 'WITHDRAWN', 'LAPSED'])), name='approval_state_known'), models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['APPROVED', 'REFUSED']), _negated=True), models.Q(models.Q(('checker', ''), _negated=True), models.Q(('checker', models.F('maker')), _negated=True)), _connector='OR'), name='approval_checker_is_not_maker'), models.CheckConstraint(condition=models.Q(models.Q(('checker', ''), ('decided_at', None), ('decision_reason', ''), ('state', 'WAITING')), models.Q(models.Q(('state', 'WAITING'), _negated=True), ('decided_at__isnull', False)), _connector='OR'), name='approval_decided_whole')],
            },
        ),
        migrations.RunSQL(GUARDS, DROP_GUARDS),
    ]
