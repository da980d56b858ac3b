"""The event stream of a tenant, its guards, and the answers kept for Idempotency-Key."""

import events.models
from django.db import migrations, models

# The tables lie in every tenant's schema: all names are unqualified and resolve by search_path.
CREATE_SEQUENCE = "CREATE SEQUENCE events_event_seq AS bigint CACHE 1"
DROP_SEQUENCE = "DROP SEQUENCE events_event_seq"

GUARDS = """
ALTER SEQUENCE events_event_seq OWNED BY events_event.seq;

ALTER TABLE events_event
    ADD CONSTRAINT events_event_data_object CHECK (jsonb_typeof(data) = 'object');

-- An event is a fact: never deleted, and changed once only, when the relay gives it its place.
CREATE FUNCTION events_event_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.position IS NULL AND NEW.position IS NOT NULL
        AND (NEW.id, NEW.seq, NEW.type, NEW.subject, NEW.occurred_at, NEW.actor,
             NEW.correlation_id, NEW.data)
        IS NOT DISTINCT FROM
            (OLD.id, OLD.seq, OLD.type, OLD.subject, OLD.occurred_at, OLD.actor,
             OLD.correlation_id, OLD.data)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'events are append-only: % refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER events_event_append_only BEFORE UPDATE OR DELETE ON events_event
    FOR EACH ROW EXECUTE FUNCTION events_event_append_only();
CREATE TRIGGER events_event_no_truncate BEFORE TRUNCATE ON events_event
    FOR EACH STATEMENT EXECUTE FUNCTION events_event_append_only();

-- The head only moves forward, so a chain cannot be cut and regrown unseen.
CREATE FUNCTION events_streamhead_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.position > OLD.position THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the head of the stream only moves forward: % refused', TG_OP
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER events_streamhead_forward BEFORE UPDATE OR DELETE ON events_streamhead
    FOR EACH ROW EXECUTE FUNCTION events_streamhead_forward();

-- Whoever inserts, by service or by a hot statement, wakes the dispatcher on commit.
CREATE FUNCTION events_event_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('blotter_events', TG_TABLE_SCHEMA);
    RETURN NULL;
END $$;

CREATE TRIGGER events_event_wake AFTER INSERT ON events_event
    FOR EACH STATEMENT EXECUTE FUNCTION events_event_wake();
"""

DROP_GUARDS = """
DROP TRIGGER events_event_wake ON events_event;
DROP TRIGGER events_streamhead_forward ON events_streamhead;
DROP TRIGGER events_event_no_truncate ON events_event;
DROP TRIGGER events_event_append_only ON events_event;
DROP FUNCTION events_event_wake();
DROP FUNCTION events_streamhead_forward();
DROP FUNCTION events_event_append_only();
ALTER TABLE events_event DROP CONSTRAINT events_event_data_object;
ALTER SEQUENCE events_event_seq OWNED BY NONE;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.RunSQL(CREATE_SEQUENCE, DROP_SEQUENCE),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.CharField(max_length=26, primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField(db_default=events.models.NextInsertion(), editable=False)),
                ('position', models.BigIntegerField(editable=False, null=True, unique=True)),
                ('type', models.CharField(max_length=64)),
                ('subject', models.CharField(max_length=64)),
                ('occurred_at', models.DateTimeField()),
                ('actor', models.CharField(max_length=200)),
                ('correlation_id', models.CharField(blank=True, default='', max_length=64)),
                ('data', models.JSONField()),
                ('hash', models.CharField(editable=False, max_length=64, null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('position', None)), fields=['seq'], name='events_event_unpositioned')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('hash', None), ('position', None)), models.Q(('hash__isnull', False), ('hash__regex', '^[0-9a-f]{64}$'), ('position__gte', 1), ('position__isnull', False)), _connector='OR'), name='events_event_position_with_hash'), models.CheckConstraint(condition=models.Q(('type__regex', '^[a-z_]+(\\.[a-z_]+)+$')), name='events_event_type_dotted'), models.CheckConstraint(condition=models.Q(('id__regex', '^[0-7][0-9A-HJKMNP-TV-Z]{25}$')), name='events_event_id_ulid')],
            },
        ),
        migrations.CreateModel(
            name='IdempotentAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('actor', models.CharField(max_length=200)),
                ('key', models.CharField(max_length=255)),
                ('fingerprint', models.CharField(max_length=64)),
                ('status', models.SmallIntegerField()),
                ('content_type', models.CharField(max_length=100)),
                ('body', models.TextField()),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('actor', 'key'), name='events_idempotentanswer_once'), models.CheckConstraint(condition=models.Q(('status__gte', 200), ('status__lt', 400)), name='events_idempotentanswer_only_successes')],
            },
        ),
        migrations.CreateModel(
            name='StreamHead',
            fields=[
                ('id', models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('position', models.BigIntegerField(default=0)),
                ('hash', models.CharField(default='0000000000000000000000000000000000000000000000000000000000000000', max_length=64)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='events_streamhead_single'), models.CheckConstraint(condition=models.Q(('position__gte', 0)), name='events_streamhead_position_valid')],
            },
        ),
        migrations.CreateModel(
            name='SubscriberCursor',
            fields=[
                ('name', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('position', models.BigIntegerField(default=0)),
                ('updated_at', models.DateTimeField()),
                ('failures', models.IntegerField(default=0)),
                ('last_error', models.CharField(blank=True, default='', max_length=500)),
                ('retry_at', models.DateTimeField(null=True)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('position__gte', 0), ('failures__gte', 0)), name='events_subscribercursor_counts_valid')],
            },
        ),
        migrations.RunSQL(GUARDS, DROP_GUARDS),
    ]
