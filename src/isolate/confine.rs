//! What a child gives up before it sees a byte of a package: memory and processor time
//! without end, other files, networks, other programs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::frame::Guards;

/// Files open at once: the socket, the package, and what the system needs.
const FILES: u64 = 32;

/// Gives up what a reader does not need; says what of it the system took. To be called
/// before there is a second thread.
pub(super) fn confine(memory: u64) -> Guards {
    let most = |resource, value| {
        let hard = getrlimit(resource).maximum.map_or(value, |hard| hard.min(value));
        setrlimit(resource, Rlimit { current: Some(hard), maximum: Some(hard) }).is_ok()
    };
    // A dump of the memory would hold the package.
    let _ = most(Resource::Core, 0);
    Guards {
        memory: most(Resource::Data, memory) && memory_is_held(),
        processor: processor_time(u64::MAX >> 1),
        descriptors: most(Resource::Nofile, FILES),
        landlock: landlock(),
        seccomp: seccomp(),
    }
}

/// `RLIMIT_DATA` counts what a program allocates on Linux since 4.7, and hardly anything elsewhere.
const fn memory_is_held() -> bool {
    cfg!(any(target_os = "linux", target_os = "android"))
}

/// Seconds of processor time, all in all, after which the system ends the process.
pub(super) fn processor_time(seconds: u64) -> bool {
    let hard = getrlimit(Resource::Cpu).maximum;
    let soft = hard.map_or(seconds, |hard| hard.min(seconds));
    setrlimit(Resource::Cpu, Rlimit { current: Some(soft), maximum: hard }).is_ok()
}

#[cfg(target_os = "linux")]
fn landlock() -> bool {
    use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetStatus};
    let restrict = || {
        Ruleset::default()
            .handle_access(AccessFs::from_all(ABI::V5))?
            .handle_access(AccessNet::from_all(ABI::V5))?
            .create()?
            .restrict_self()
    };
    restrict().is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced)
}

#[cfg(not(target_os = "linux"))]
fn landlock() -> bool {
    false
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
fn seccomp() -> bool {
    rules::apply().is_ok()
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))))]
fn seccomp() -> bool {
    false
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
mod rules {
    use std::collections::BTreeMap;

    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
        apply_filter,
    };

    /// Calls that a reader of bytes has no use for.
    const DENIED: &[i64] = &[
        // Networks and other processes' sockets.
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        // Files by name; the one at hand is open.
        libc::SYS_openat,
        libc::SYS_openat2,
        libc::SYS_open_by_handle_at,
        libc::SYS_unlinkat,
        libc::SYS_renameat2,
        libc::SYS_linkat,
        libc::SYS_symlinkat,
        libc::SYS_mkdirat,
        libc::SYS_mknodat,
        libc::SYS_fchmodat,
        libc::SYS_fchownat,
        libc::SYS_truncate,
        // Other programs and other processes.
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_kill,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_pidfd_open,
        libc::SYS_pidfd_getfd,
        libc::SYS_setns,
        libc::SYS_unshare,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        // Large surfaces of the kernel.
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_io_uring_setup,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
    ];

    #[cfg(target_arch = "x86_64")]
    const DENIED_HERE: &[i64] = &[
        libc::SYS_open,
        libc::SYS_creat,
        libc::SYS_unlink,
        libc::SYS_rename,
        libc::SYS_renameat,
        libc::SYS_link,
        libc::SYS_symlink,
        libc::SYS_mkdir,
        libc::SYS_mknod,
        libc::SYS_chmod,
        libc::SYS_chown,
        libc::SYS_fork,
        libc::SYS_vfork,
    ];
    #[cfg(not(target_arch = "x86_64"))]
    const DENIED_HERE: &[i64] = &[];

    type Failed = Box<dyn std::error::Error>;

    /// Installs both filters; the first makes the C library start threads by a call whose
    /// flags can be looked at.
    pub(super) fn apply() -> Result<(), Failed> {
        let unknown = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
        install(unknown, libc::ENOSYS)?;
        let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
            DENIED.iter().chain(DENIED_HERE).map(|&call| (call, Vec::new())).collect();
        // A new thread is one thing, a new process another.
        let is_process =
            SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(libc::CLONE_THREAD as u64), 0)?;
        rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![is_process])?]);
        install(rules, libc::EPERM)
    }

    fn install(rules: BTreeMap<i64, Vec<SeccompRule>>, error: i32) -> Result<(), Failed> {
        let denied = SeccompAction::Errno(u32::try_from(error)?);
        let filter = SeccompFilter::new(rules, SeccompAction::Allow, denied, std::env::consts::ARCH.try_into()?)?;
        let program: BpfProgram = filter.try_into()?;
        Ok(apply_filter(&program)?)
    }
}
