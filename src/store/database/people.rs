//! People, sessions and deeds.

use sqlx::Row;
use sqlx::any::AnyRow;

use super::Database;
use crate::store::{ApiClient, Deed, People, Person, Result, Session};

fn person_of(row: &AnyRow) -> Result<Person> {
    Ok(Person {
        name: row.try_get("name")?,
        role: row.try_get("role")?,
        password: row.try_get("password")?,
        is_active: row.try_get::<i64, _>("is_active")? != 0,
        failures: row.try_get::<i64, _>("failures")? as u32,
        locked_until: row.try_get("locked_until")?,
        made_at: row.try_get("made_at")?,
    })
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

    async fn keep_person(&self, person: &Person) -> Result<()> {
        let mut change = self.change().await?;
        sqlx::query(
            "INSERT INTO people (name, role, password, is_active, made_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (name) DO UPDATE SET role = excluded.role, password = excluded.password,
                 is_active = excluded.is_active, failures = 0, locked_until = 0",
        )
        .bind(&person.name)
        .bind(&person.role)
        .bind(&person.password)
        .bind(i64::from(person.is_active))
        .bind(person.made_at)
        .execute(&mut *change)
        .await?;
        sqlx::query("DELETE FROM sessions WHERE person = $1").bind(&person.name).execute(&mut *change).await?;
        change.commit().await?;
        Ok(())
    }

    async fn count_failure(&self, name: &str, most: u32, locked_until: i64) -> Result<()> {
        sqlx::query(
            "UPDATE people SET failures = failures + 1,
                 locked_until = CASE WHEN failures + 1 >= $1 THEN $2 ELSE locked_until END
             WHERE name = $3",
        )
        .bind(i64::from(most))
        .bind(locked_until)
        .bind(name)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn forgive(&self, name: &str) -> Result<()> {
        sqlx::query("UPDATE people SET failures = 0, locked_until = 0 WHERE name = $1 AND failures > 0")
            .bind(name)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn sign_in(&self, token: &str, person: &str, csrf: &str, at: i64) -> Result<()> {
        sqlx::query("INSERT INTO sessions (token, person, csrf, begun, seen) VALUES ($1, $2, $3, $4, $5)")
            .bind(token)
            .bind(person)
            .bind(csrf)
            .bind(at)
            .bind(at)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn session(&self, token: &str, begun_after: i64, seen_after: i64, now: i64) -> Result<Option<Session>> {
        let row = sqlx::query(
            "SELECT people.*, csrf, begun, seen FROM sessions JOIN people ON people.name = sessions.person
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

    async fn keep_client(&self, client: &ApiClient) -> Result<()> {
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
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    async fn deed(&self, deed: &Deed) -> Result<()> {
        sqlx::query("INSERT INTO deeds (who, what, about, at) VALUES ($1, $2, $3, $4)")
            .bind(&deed.who)
            .bind(&deed.what)
            .bind(&deed.about)
            .bind(deed.at)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn deeds(&self, before: i64, most: u32) -> Result<Vec<Deed>> {
        let rows = sqlx::query("SELECT * FROM deeds WHERE $1 = 0 OR id < $1 ORDER BY id DESC LIMIT $2")
            .bind(before)
            .bind(i64::from(most))
            .fetch_all(&self.readers)
            .await?;
        let deed = |row: &AnyRow| {
            Ok(Deed {
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
