//! `xunjian client`: which programs may use the API.

use super::Exit;
use super::home::{HomeArgs, runtime};
use super::usage::{OrUsage, ensure_usage, usage};
use crate::review::{API_RIGHTS, is_name, new_token, token_hash};
use crate::store::{ApiClient, AuditLogEntry, Home, People};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Add a client, or give one a new token; the token is printed once. 添加客户端，或换发令牌。
    Add(Add),
    /// Let a client in no more. 停用客户端。
    Stop(Stop),
    /// List the clients. 列出客户端。
    List(List),
}

#[derive(Debug, clap::Args)]
pub(super) struct Add {
    /// What it is called in the log.
    name: String,
    /// What it may do; may be given several times.
    #[arg(long = "may", value_parser = clap::builder::PossibleValuesParser::new(API_RIGHTS), required = true)]
    rights: Vec<String>,
    #[command(flatten)]
    home: HomeArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct Stop {
    /// Which.
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
            Command::List(args) => list(&args.home.open().await?).await,
        }?;
        Ok(Exit::Clean)
    })
}

async fn add(args: &Add) -> anyhow::Result<()> {
    ensure_usage!(is_name(&args.name), "NAME {:?}: a name is 1 to 40 letters, digits, or . _ -", args.name);
    let home = args.home.open().await?;
    let token = new_token().map_err(anyhow::Error::msg)?;
    let mut rights = args.rights.clone();
    rights.sort_unstable();
    rights.dedup();
    let client = ApiClient {
        name: args.name.clone(),
        token: token_hash(&token),
        rights: rights.join(" "),
        is_active: true,
        made_at: now(),
    };
    home.state.keep_client(&client, &entry(&format!("{} {}", client.name, client.rights))).await?;
    // Shown now and never again: only its hash is kept.
    println!("{token}");
    Ok(())
}

async fn stop(args: &Stop) -> anyhow::Result<()> {
    let home = args.home.open().await?;
    let clients = home.state.clients().await?;
    let Some(client) = clients.into_iter().find(|client| client.name == args.name) else {
        return Err(usage!("there is no client {:?}; see `xunjian client list`", args.name));
    };
    let (stopped, entry) = (ApiClient { is_active: false, ..client }, entry(&format!("{} stopped", args.name)));
    home.state.keep_client(&stopped, &entry).await.or_usage(|| "--home: cannot be written")
}

async fn list(home: &Home) -> anyhow::Result<()> {
    for client in home.state.clients().await? {
        let state = if client.is_active { "" } else { "\tstopped" };
        println!("{}\t{}{state}", client.name, client.rights);
    }
    Ok(())
}

/// That somebody with the database at hand did it.
fn entry(about: &str) -> AuditLogEntry {
    AuditLogEntry::new("-", "client-changed", about, now())
}

fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}
