"""Who looks after a break, and who closed it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('oms', '0002_guards'),
    ]

    operations = [
        migrations.AddField(
            model_name='break',
            name='closed_by',
            field=models.CharField(db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='break',
            name='owner',
            field=models.CharField(db_default='', default='', max_length=200),
        ),
    ]
