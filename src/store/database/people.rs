//! People, sessions and deeds.

use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::Database;
use crate::model::hex;
use crate::store::{ApiClient, AuditLogEntry, Counted, Identity, Limit, People, Person, Result, Session};

fn person_of(row: &AnyRow) -> Result<Person> {
    Ok(Person {
        name: row.try_get("name")?,
        role: row.try_get("role")?,
        password: row.try_get("password")?,
        set_by: row.try_get("set_by")?,
        is_active: row.try_get::<i64, _>("is_active")? != 0,
        made_at: row.try_get("made_at")?,
    })
}

/// What is kept of a name that somebody tried: it may be anything, a password in the wrong field too.
fn kept(name: &str) -> String {
    hex(&Sha256::digest(name))
}

fn client_of(row: &AnyRow) -> Result<ApiClient> {
    Ok(ApiClient {
        name: row.try_get("name")?,
        token: row.try_get("token")?,
        rights: row.try_get("rights")?,
        is_active: row.try_get::<i64, _>("is_active")? != 0,
        made_at: row.try_get("made_at")?,
    })
}

impl People for Database {
    async fn people(&self) -> Result<Vec<Person>> {
        let rows = sqlx::query("SELECT * FROM people ORDER BY name").fetch_all(&self.readers).await?;
        rows.iter().map(person_of).collect()
    }

    async fn person(&self, name: &str) -> Result<Option<Person>> {
        let row = sqlx::query("SELECT * FROM people WHERE name = $1").bind(name).fetch_optional(&self.readers).await?;
        row.map(|row| person_of(&row)).transpose()
    }

    async fn keep_person(&self, person: &Person, entries: &[AuditLogEntry]) -> Result<()> {
        let mut change = self.change().await?;
        sqlx::query(
            "INSERT INTO people (name, role, password, set_by, is_active, made_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (name) DO UPDATE SET role = excluded.role, password = excluded.password,
                 set_by = excluded.set_by, is_active = excluded.is_active",
        )
        .bind(&person.name)
        .bind(&person.role)
        .bind(&person.password)
        .bind(&person.set_by)
        .bind(i64::from(person.is_active))
        .bind(person.made_at)
        .execute(&mut *change)
        .await?;
        sqlx::query("DELETE FROM sessions WHERE person = $1").bind(&person.name).execute(&mut *change).await?;
        sqlx::query("DELETE FROM tries WHERE name = $1").bind(kept(&person.name)).execute(&mut *change).await?;
        log(&mut change, entries).await?;
        change.commit().await?;
        Ok(())
    }

    async fn count(&self, name: &str, source: &str, limit: Limit, now: i64) -> Result<Counted> {
        // One statement, so that of two at once one comes after the other.
        let wrong: i64 = sqlx::query_scalar(
            "INSERT INTO tries (name, source, wrong, until, good, at) VALUES ($1, $2, 1, 0, 0, $3)
             ON CONFLICT (name, source) DO UPDATE SET
                 wrong = CASE WHEN tries.until <= $3 AND (tries.until > 0 OR tries.at < $4) THEN 1
                         ELSE tries.wrong + 1 END,
                 until = CASE WHEN tries.until > $3 THEN tries.until
                         WHEN tries.until > 0 OR tries.at < $4 OR tries.wrong + 1 < $5 THEN 0
                         ELSE $6 END,
                 at = $3
             RETURNING wrong",
        )
        .bind(kept(name))
        .bind(source)
        .bind(now)
        .bind(now - limit.lock)
        .bind(i64::from(limit.most))
        .bind(now + limit.lock)
        .fetch_one(&self.writer)
        .await?;
        Ok(match wrong.cmp(&i64::from(limit.most)) {
            std::cmp::Ordering::Less => Counted::Go,
            std::cmp::Ordering::Equal => Counted::Last,
            std::cmp::Ordering::Greater => Counted::Locked,
        })
    }

    async fn uncount(&self, name: &str, source: &str, limit: Limit, is_own: bool, now: i64) -> Result<()> {
        let sql = if is_own {
            "INSERT INTO tries (name, source, wrong, until, good, at) VALUES ($1, $2, 0, 0, $3, $3)
             ON CONFLICT (name, source) DO UPDATE SET wrong = 0, until = 0, good = excluded.good"
        } else {
            "UPDATE tries SET wrong = CASE WHEN wrong > 0 THEN wrong - 1 ELSE 0 END,
                 until = CASE WHEN wrong <= $4 THEN 0 ELSE until END
             WHERE name = $1 AND source = $2 AND at <= $3"
        };
        let query = sqlx::query(sql).bind(kept(name)).bind(source).bind(now);
        let query = if is_own { query } else { query.bind(i64::from(limit.most)) };
        query.execute(&self.writer).await?;
        Ok(())
    }

    async fn was_right(&self, name: &str, source: &str, since: i64) -> Result<bool> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT good FROM tries WHERE name = $1 AND source = $2 AND good > $3")
                .bind(kept(name))
                .bind(source)
                .bind(since)
                .fetch_optional(&self.readers)
                .await?;
        Ok(found.is_some())
    }

    async fn is_locked(&self, name: &str, now: i64) -> Result<bool> {
        let found: Option<i64> = sqlx::query_scalar("SELECT until FROM tries WHERE name = $1 AND until > $2 LIMIT 1")
            .bind(kept(name))
            .bind(now)
            .fetch_optional(&self.readers)
            .await?;
        Ok(found.is_some())
    }

    async fn forget_tries(&self, tried: i64, right: i64) -> Result<()> {
        sqlx::query("DELETE FROM tries WHERE at < $1 AND good < $2")
            .bind(tried)
            .bind(right)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn identity(&self, issuer: &str, subject: &str) -> Result<Option<Person>> {
        let row = sqlx::query(
            "SELECT people.* FROM identities JOIN people ON people.name = identities.person
             WHERE issuer = $1 AND subject = $2",
        )
        .bind(issuer)
        .bind(subject)
        .fetch_optional(&self.readers)
        .await?;
        row.map(|row| person_of(&row)).transpose()
    }

    async fn bind(&self, identity: &Identity, entry: &AuditLogEntry) -> Result<bool> {
        let mut change = self.change().await?;
        let done = sqlx::query(
            "INSERT INTO identities (issuer, subject, person, bound_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(&identity.issuer)
        .bind(&identity.subject)
        .bind(&identity.person)
        .bind(identity.bound_at)
        .execute(&mut *change)
        .await?;
        if done.rows_affected() > 0 {
            log(&mut change, std::slice::from_ref(entry)).await?;
        }
        change.commit().await?;
        Ok(done.rows_affected() > 0)
    }

    async fn unbind(&self, person: &str, entry: &AuditLogEntry) -> Result<u64> {
        let mut change = self.change().await?;
        sqlx::query("DELETE FROM sessions WHERE person = $1 AND how = 'oidc'")
            .bind(person)
            .execute(&mut *change)
            .await?;
        let done = sqlx::query("DELETE FROM identities WHERE person = $1").bind(person).execute(&mut *change).await?;
        if done.rows_affected() > 0 {
            log(&mut change, std::slice::from_ref(entry)).await?;
        }
        change.commit().await?;
        Ok(done.rows_affected())
    }

    async fn identities(&self) -> Result<Vec<Identity>> {
        let rows = sqlx::query("SELECT * FROM identities ORDER BY person, issuer").fetch_all(&self.readers).await?;
        let identity = |row: &AnyRow| {
            Ok(Identity {
                issuer: row.try_get("issuer")?,
                subject: row.try_get("subject")?,
                person: row.try_get("person")?,
                bound_at: row.try_get("bound_at")?,
            })
        };
        rows.iter().map(identity).collect()
    }

    async fn sign_in(&self, token: &str, session: &Session, begun_after: i64, seen_after: i64) -> Result<()> {
        let mut change = self.change().await?;
        sqlx::query("DELETE FROM sessions WHERE begun <= $1 OR seen <= $2")
            .bind(begun_after)
            .bind(seen_after)
            .execute(&mut *change)
            .await?;
        sqlx::query("INSERT INTO sessions (token, person, csrf, how, begun, seen) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(token)
            .bind(&session.person.name)
            .bind(&session.csrf)
            .bind(&session.how)
            .bind(session.begun)
            .bind(session.seen)
            .execute(&mut *change)
            .await?;
        change.commit().await?;
        Ok(())
    }

    async fn session(&self, token: &str, begun_after: i64, seen_after: i64, now: i64) -> Result<Option<Session>> {
        let row = sqlx::query(
            "SELECT people.*, csrf, how, begun, seen FROM sessions JOIN people ON people.name = sessions.person
             WHERE token = $1 AND begun > $2 AND seen > $3 AND is_active = 1",
        )
        .bind(token)
        .bind(begun_after)
        .bind(seen_after)
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let session = Session {
            person: person_of(&row)?,
            csrf: row.try_get("csrf")?,
            how: row.try_get("how")?,
            begun: row.try_get("begun")?,
            seen: row.try_get("seen")?,
        };
        // Once a minute is exact enough, and spares a write for every page.
        if now - session.seen > 60_000 {
            sqlx::query("UPDATE sessions SET seen = $1 WHERE token = $2")
                .bind(now)
                .bind(token)
                .execute(&self.writer)
                .await?;
        }
        Ok(Some(session))
    }

    async fn sign_out(&self, token: &str) -> Result<()> {
        sqlx::query("DELETE FROM sessions WHERE token = $1").bind(token).execute(&self.writer).await?;
        Ok(())
    }

    async fn clients(&self) -> Result<Vec<ApiClient>> {
        let rows = sqlx::query("SELECT * FROM clients ORDER BY name").fetch_all(&self.readers).await?;
        rows.iter().map(client_of).collect()
    }

    async fn client(&self, token: &str) -> Result<Option<ApiClient>> {
        let row = sqlx::query("SELECT * FROM clients WHERE token = $1 AND is_active = 1")
            .bind(token)
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| client_of(&row)).transpose()
    }

    async fn keep_client(&self, client: &ApiClient, entry: &AuditLogEntry) -> Result<()> {
        let mut change = self.change().await?;
        sqlx::query(
            "INSERT INTO clients (name, token, rights, is_active, made_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (name) DO UPDATE SET token = excluded.token, rights = excluded.rights,
                 is_active = excluded.is_active, made_at = excluded.made_at",
        )
        .bind(&client.name)
        .bind(&client.token)
        .bind(&client.rights)
        .bind(i64::from(client.is_active))
        .bind(client.made_at)
        .execute(&mut *change)
        .await?;
        log(&mut change, std::slice::from_ref(entry)).await?;
        change.commit().await?;
        Ok(())
    }

    async fn asks(&self, run: i64, client: &str) -> Result<()> {
        sqlx::query("INSERT INTO askers (run, client) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(run)
            .bind(client)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn has_asked(&self, run: i64, client: &str) -> Result<bool> {
        let found: Option<i64> = sqlx::query_scalar("SELECT run FROM askers WHERE run = $1 AND client = $2")
            .bind(run)
            .bind(client)
            .fetch_optional(&self.readers)
            .await?;
        Ok(found.is_some())
    }

    async fn log_action(&self, entry: &AuditLogEntry) -> Result<()> {
        let mut change = self.change().await?;
        log(&mut change, std::slice::from_ref(entry)).await?;
        change.commit().await?;
        Ok(())
    }

    async fn audit_log(&self, before: i64, most: u32) -> Result<Vec<AuditLogEntry>> {
        let rows = sqlx::query("SELECT * FROM deeds WHERE $1 = 0 OR id < $1 ORDER BY id DESC LIMIT $2")
            .bind(before)
            .bind(i64::from(most))
            .fetch_all(&self.readers)
            .await?;
        let deed = |row: &AnyRow| {
            Ok(AuditLogEntry {
                id: row.try_get("id")?,
                who: row.try_get("who")?,
                what: row.try_get("what")?,
                about: row.try_get("about")?,
                at: row.try_get("at")?,
            })
        };
        rows.iter().map(deed).collect()
    }

    async fn keep_view(&self, person: &str, name: &str, query: &str) -> Result<()> {
        let sql = if query.is_empty() {
            sqlx::query("DELETE FROM views WHERE person = $1 AND name = $2").bind(person).bind(name)
        } else {
            sqlx::query(
                "INSERT INTO views (person, name, query) VALUES ($1, $2, $3)
                 ON CONFLICT (person, name) DO UPDATE SET query = excluded.query",
            )
            .bind(person)
            .bind(name)
            .bind(query)
        };
        sql.execute(&self.writer).await?;
        Ok(())
    }

    async fn views(&self, person: &str) -> Result<Vec<(String, String)>> {
        Ok(sqlx::query_as("SELECT name, query FROM views WHERE person = $1 ORDER BY name")
            .bind(person)
            .fetch_all(&self.readers)
            .await?)
    }
}

/// Writes entries of the audit log within the change that they are about.
pub(super) async fn log(change: &mut AnyConnection, entries: &[AuditLogEntry]) -> Result<()> {
    for entry in entries {
        sqlx::query("INSERT INTO deeds (who, what, about, at) VALUES ($1, $2, $3, $4)")
            .bind(&entry.who)
            .bind(&entry.what)
            .bind(&entry.about)
            .bind(entry.at)
            .execute(&mut *change)
            .await?;
    }
    Ok(())
}
