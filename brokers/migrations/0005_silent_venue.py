from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("brokers", "0004_console_indexes")]

    operations = [
        migrations.AlterField(
            model_name="paperfault",
            name="switch",
            field=models.CharField(choices=[('lose_ack', 'Lose Ack'), ('drop_before_read', 'Drop Before Read'), ('cancel_lost', 'Cancel Lost'), ('duplicate_fill', 'Duplicate Fill'), ('delay_ack', 'Delay Ack'), ('silent', 'Silent')], max_length=24),
        ),
    ]
