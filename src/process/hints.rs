//! Lines that people can copy: what to try next, and how the two programs are called from where this one was started.
//! Never starts one.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;

/// Where `zea` looks for a controller by itself.
const DEFAULT_REST: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 3370);

/// How `zea` or `zead` is called here: by its name where the shell finds it, else by the path beside this program.
#[must_use]
pub fn program(name: &str) -> String {
    let folder = std::env::current_exe().ok().and_then(|own| own.parent().map(Path::to_path_buf));
    let here = std::env::current_dir().ok();
    match folder.filter(|folder| folder.join(name).is_file()) {
        Some(folder) => called(name, &folder, here.as_deref(), std::env::var_os("PATH").as_deref()),
        None => name.to_owned(),
    }
}

fn called(name: &str, folder: &Path, here: Option<&Path>, path: Option<&OsStr>) -> String {
    let first = path.and_then(|path| std::env::split_paths(path).find(|listed| listed.join(name).is_file()));
    if first.is_some_and(|first| first == folder) {
        return name.to_owned();
    }
    let program = folder.join(name);
    match here.and_then(|here| program.strip_prefix(here).ok()) {
        Some(below) if below == Path::new(name) => format!("./{name}"),
        Some(below) => below.display().to_string(),
        None => program.display().to_string(),
    }
}

/// What to try with `zea` at a controller that serves there.
pub(super) fn try_next(rest: SocketAddr, commands: &[&str]) -> Vec<String> {
    let zea = program("zea");
    let flag = if rest == DEFAULT_REST { String::new() } else { format!(" --controllers {rest}") };
    let lines = commands.iter().map(|command| format!("  {zea}{flag} {command}"));
    std::iter::once("Try next:".to_owned()).chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_called_as_the_shell_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let (debug, other) = (root.join("target/debug"), root.join("bin"));
        for folder in [&debug, &other] {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join("zea"), "").unwrap();
        }
        let path = |folders: &[&Path]| std::env::join_paths(folders).unwrap();
        let call = |here: &Path, folders: &[&Path]| called("zea", &debug, Some(here), Some(&path(folders)));
        assert_eq!(call(root, &[Path::new("/bin"), &debug]), "zea");
        assert_eq!(call(root, &[]), "target/debug/zea");
        // Another zea comes first.
        assert_eq!(call(root, &[&other, &debug]), "target/debug/zea");
        assert_eq!(call(&debug, &[]), "./zea");
        assert_eq!(call(Path::new("/elsewhere"), &[]), debug.join("zea").display().to_string());
        assert_eq!(called("zea", &debug, None, None), debug.join("zea").display().to_string());
    }

    #[test]
    fn lines_name_the_controller_unless_it_is_found_without() {
        let lines = try_next(DEFAULT_REST, &["node list"]);
        assert!(lines[1].ends_with("zea node list"), "{lines:?}");
        let lines = try_next("10.0.0.1:3370".parse().unwrap(), &["node list"]);
        assert!(lines[1].ends_with("zea --controllers 10.0.0.1:3370 node list"), "{lines:?}");
    }
}
