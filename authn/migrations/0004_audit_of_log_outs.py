"""Lets audit rows speak of log-outs."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('authn', '0003_servicestack_logins'),
    ]

    operations = [
        migrations.AlterField(
            model_name='auditevent',
            name='action',
            field=models.CharField(choices=[('person.login', 'Login'), ('person.login_refreshed', 'Login Refresh'), ('person.logout', 'Logout'), ('person.refresh_token_reused', 'Login Reused'), ('person.added', 'User Added'), ('person.changed', 'User Changed'), ('application_token.created', 'Token Created'), ('application_token.revoked', 'Token Revoked'), ('request', 'Request'), ('org.registered', 'Org Registered'), ('org.changed', 'Org Changed'), ('org.org_id_changed', 'Org Id Changed'), ('org.instance_changed', 'Org Moved'), ('org.deleted', 'Org Deleted'), ('org.connection_tested', 'Org Tested'), ('credential.refresh_sent', 'Refresh Sent'), ('credential.refresh_ended', 'Refresh Ended'), ('credential.answer_replayed', 'Answer Replayed'), ('credential.removed', 'Credential Removed'), ('credential.revoked', 'Revoked'), ('access_token.handed_out', 'Access Token'), ('auth_url.handed_out', 'Auth Url')], db_index=True, max_length=48),
        ),
    ]
