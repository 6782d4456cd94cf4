//! `xunjian people`: who may sign in to the reviewers' page.

use std::io::{BufRead, IsTerminal};

use super::Exit;
use super::home::{HomeArgs, runtime};
use super::usage::{OrUsage, ensure_usage, usage};
use crate::review::{PASSWORD_MIN, Role, hash_password, is_name};
use crate::store::{AuditLogEntry, Home, People, Person};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Add a person, or give one another role and password. 添加人员，或更新其角色和密码。
    Add(Add),
    /// Sign a person out and let them in no more. 停用人员。
    Stop(Stop),
    /// Forget whom a sign-in server vouches for as a person: the next one of the name is bound. 解除统一身份绑定。
    Unbind(Stop),
    /// List everybody. 列出人员。
    List(List),
}

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// What they sign in with, and what their decisions are signed with.
    name: String,
    /// What they may do.
    #[arg(long, value_parser = ["viewer", "reviewer", "lead", "operator"])]
    role: String,
    /// The password is one that you pass on: they choose another at the first sign-in.
    #[arg(long)]
    must_choose: bool,
    /// Read the password from the first line of stdin instead of asking for it.
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    home: HomeArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct Stop {
    /// Who.
    name: String,
    #[command(flatten)]
    home: HomeArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    home: HomeArgs,
}

pub(super) fn run(command: &Command) -> anyhow::Result<Exit> {
    runtime()?.block_on(async {
        match command {
            Command::Add(args) => add(args).await,
            Command::Stop(args) => stop(args).await,
            Command::Unbind(args) => unbind(args).await,
            Command::List(args) => list(&args.home.open().await?).await,
        }?;
        Ok(Exit::Clean)
    })
}

async fn add(args: &Add) -> anyhow::Result<()> {
    ensure_usage!(is_name(&args.name), "NAME {:?}: a name is 1 to 40 letters, digits, or . _ -", args.name);
    let role = Role::from_id(&args.role).or_usage(|| "--role: there is no such role")?;
    let home = args.home.open().await?;
    let secret = password(args.password_stdin)?;
    ensure_usage!(
        secret.chars().count() >= PASSWORD_MIN,
        "--password-stdin: a password has {PASSWORD_MIN} characters or more"
    );
    let known = home.state.person(&args.name).await?;
    let person = Person {
        name: args.name.clone(),
        role: role.id().into(),
        password: hash_password(&secret).map_err(anyhow::Error::msg)?,
        set_by: if args.must_choose { "-".into() } else { String::new() },
        is_active: true,
        made_at: known.map_or_else(now, |person| person.made_at),
    };
    let entry = entry(&format!("{} {}", person.name, person.role));
    Ok(home.state.keep_person(&person, &[entry]).await?)
}

async fn stop(args: &Stop) -> anyhow::Result<()> {
    let home = args.home.open().await?;
    let Some(person) = home.state.person(&args.name).await? else {
        return Err(usage!("there is no {:?}; see `xunjian people list`", args.name));
    };
    let entry = entry(&format!("{} stopped", args.name));
    Ok(home.state.keep_person(&Person { is_active: false, ..person }, &[entry]).await?)
}

async fn unbind(args: &Stop) -> anyhow::Result<()> {
    let home = args.home.open().await?;
    if home.state.unbind(&args.name, &entry(&format!("{} unbound", args.name))).await? == 0 {
        return Err(usage!("{:?} is bound to no account of a sign-in server", args.name));
    }
    Ok(())
}

async fn list(home: &Home) -> anyhow::Result<()> {
    for person in home.state.people().await? {
        let state = if person.is_active { "" } else { "\tstopped" };
        println!("{}\t{}{state}", person.name, person.role);
    }
    Ok(())
}

/// The password: asked for without showing it, or the first line of stdin.
fn password(from_stdin: bool) -> anyhow::Result<String> {
    if !from_stdin {
        ensure_usage!(std::io::stdin().is_terminal(), "--password-stdin is missing: nobody is there to be asked");
        let once = rpassword::prompt_password("密码 / password: ")?;
        ensure_usage!(rpassword::prompt_password("再次输入 / again: ")? == once, "--password-stdin: the two differ");
        return Ok(once);
    }
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// That somebody with the database at hand did it.
fn entry(about: &str) -> AuditLogEntry {
    AuditLogEntry::new("-", "person-changed", about, now())
}

fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
