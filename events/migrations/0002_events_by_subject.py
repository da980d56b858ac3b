"""The events about one object are found without reading the stream."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0001_event_stream'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['subject', 'seq'], name='events_event_by_subject'),
        ),
    ]
