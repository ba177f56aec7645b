//! The ioctls of loop devices, zvols, block devices, reflinks and frozen file systems, and extended attributes, as safe functions
//! on open files.
//!
//! The only file of the crate with `unsafe` (docs/adr/0005-loop-ioctl.md). It decides nothing and retries nothing.
#![allow(unsafe_code)]

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;

use nix::libc::{ENODATA, EOPNOTSUPP, ERANGE, fgetxattr, fsetxattr};
use nix::{
    ioctl_none_bad, ioctl_read, ioctl_read_bad, ioctl_write_int_bad, ioctl_write_ptr_bad, request_code_readwrite,
    request_code_write,
};

/// Longest name that the kernel keeps in `lo_file_name`, with its closing zero.
const LOOP_NAME_BYTES: usize = 64;

/// Longest name of a dataset, with its closing zero (`ZFS_MAX_DATASET_NAME_LEN`).
const ZVOL_NAME_BYTES: usize = 256;

/// `struct loop_info64` of `linux/loop.h`.
#[repr(C)]
#[derive(Clone, Copy)]
struct LoopInfo64 {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; LOOP_NAME_BYTES],
    crypt_name: [u8; LOOP_NAME_BYTES],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

impl LoopInfo64 {
    const EMPTY: Self = Self {
        device: 0,
        inode: 0,
        rdevice: 0,
        offset: 0,
        size_limit: 0,
        number: 0,
        encrypt_type: 0,
        encrypt_key_size: 0,
        flags: 0,
        file_name: [0; LOOP_NAME_BYTES],
        crypt_name: [0; LOOP_NAME_BYTES],
        encrypt_key: [0; 32],
        init: [0; 2],
    };
}

/// `struct loop_config` of `linux/loop.h`.
#[repr(C)]
struct LoopConfig {
    fd: u32,
    block_size: u32,
    info: LoopInfo64,
    reserved: [u64; 8],
}

ioctl_none_bad!(raw_loop_clr_fd, 0x4C01);
ioctl_read_bad!(raw_loop_get_status64, 0x4C05, LoopInfo64);
ioctl_none_bad!(raw_loop_set_capacity, 0x4C07);
ioctl_write_ptr_bad!(raw_loop_configure, 0x4C0A, LoopConfig);
ioctl_write_int_bad!(raw_loop_ctl_add, 0x4C80);
ioctl_none_bad!(raw_loop_ctl_get_free, 0x4C82);
ioctl_read!(raw_blkgetsize64, 0x12, 114, usize);
ioctl_read!(raw_blkzname, 0x12, 125, [u8; ZVOL_NAME_BYTES]);
ioctl_write_int_bad!(raw_ficlone, request_code_write!(0x94, 9, size_of::<i32>()));
ioctl_write_int_bad!(raw_fifreeze, request_code_readwrite!(b'X', 119, size_of::<i32>()));
ioctl_write_int_bad!(raw_fithaw, request_code_readwrite!(b'X', 120, size_of::<i32>()));

/// What a loop device stands on: device and inode number of its backing file, as `stat` gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopTarget {
    /// `st_dev` of the backing file.
    pub device: u64,
    /// `st_ino` of the backing file.
    pub inode: u64,
}

/// Number of a loop device that was free a moment ago; the kernel makes one where none is.
pub fn loop_free_index(control: &File) -> io::Result<u32> {
    // SAFETY: the request takes no argument; the descriptor is open for the whole call.
    let index = unsafe { raw_loop_ctl_get_free(control.as_raw_fd()) }?;
    u32::try_from(index).map_err(|_| io::Error::other("the kernel gave a negative loop number"))
}

/// Makes the loop device of that number; `EEXIST` when there is one already.
pub fn loop_add(control: &File, index: u32) -> io::Result<()> {
    let index = i32::try_from(index).map_err(io::Error::other)?;
    // SAFETY: the argument is a plain number; the descriptor is open for the whole call.
    unsafe { raw_loop_ctl_add(control.as_raw_fd(), index) }?;
    Ok(())
}

/// Attaches `backing` to the loop device; `EBUSY` when somebody else was faster.
pub fn loop_configure(device: &File, backing: &File, name: &str) -> io::Result<()> {
    let mut info = LoopInfo64::EMPTY;
    let kept = name.len().min(LOOP_NAME_BYTES - 1);
    info.file_name[..kept].copy_from_slice(&name.as_bytes()[..kept]);
    let config = LoopConfig {
        fd: u32::try_from(backing.as_raw_fd()).map_err(io::Error::other)?,
        block_size: 0,
        info,
        reserved: [0; 8],
    };
    // SAFETY: the kernel reads one `loop_config`, whose layout is the header's, from a live reference.
    unsafe { raw_loop_configure(device.as_raw_fd(), &raw const config) }?;
    Ok(())
}

/// What the loop device stands on; `None` when nothing is attached.
pub fn loop_target(device: &File) -> io::Result<Option<LoopTarget>> {
    let mut info = LoopInfo64::EMPTY;
    // SAFETY: the kernel writes one `loop_info64`, whose layout is the header's, to a live exclusive reference.
    match unsafe { raw_loop_get_status64(device.as_raw_fd(), &raw mut info) } {
        Ok(_) => Ok(Some(LoopTarget { device: info.device, inode: info.inode })),
        Err(nix::errno::Errno::ENXIO) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Makes the loop device take the present size of its backing file.
pub fn loop_set_capacity(device: &File) -> io::Result<()> {
    // SAFETY: the request takes no argument; the descriptor is open for the whole call.
    unsafe { raw_loop_set_capacity(device.as_raw_fd()) }?;
    Ok(())
}

/// Detaches the loop device; it is free when its last user, this descriptor too, has closed it.
pub fn loop_clear(device: &File) -> io::Result<()> {
    // SAFETY: the request takes no argument; the descriptor is open for the whole call.
    unsafe { raw_loop_clr_fd(device.as_raw_fd()) }?;
    Ok(())
}

/// Size of a block device in bytes, as `blockdev --getsize64` prints it.
pub fn block_size_bytes(device: &File) -> io::Result<u64> {
    let mut bytes: usize = 0;
    // SAFETY: the kernel writes one 64-bit number to a live exclusive reference of that width.
    unsafe { raw_blkgetsize64(device.as_raw_fd(), &raw mut bytes) }?;
    Ok(bytes as u64)
}

/// Name of the dataset that a zvol's device belongs to, as `zvol_id` prints it; fails on every other device.
pub fn zvol_name(device: &File) -> io::Result<String> {
    let mut name = [0_u8; ZVOL_NAME_BYTES];
    // SAFETY: the kernel writes at most that many bytes, whose number is in the request, to a live exclusive reference.
    unsafe { raw_blkzname(device.as_raw_fd(), &raw mut name) }?;
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(ZVOL_NAME_BYTES);
    Ok(String::from_utf8_lossy(&name[..end]).into_owned())
}

/// Makes `target` share all blocks of `source`, as `cp --reflink=always` does.
pub fn reflink(source: &File, target: &File) -> io::Result<()> {
    // SAFETY: the argument is a descriptor number; both files are open for the whole call.
    unsafe { raw_ficlone(target.as_raw_fd(), source.as_raw_fd()) }?;
    Ok(())
}

/// Freezes the file system that the open mount point belongs to: writes wait until [`thaw`].
pub fn freeze(mount_point: &File) -> io::Result<()> {
    // SAFETY: the argument is ignored by the kernel; the descriptor is open for the whole call.
    unsafe { raw_fifreeze(mount_point.as_raw_fd(), 0) }?;
    Ok(())
}

/// Ends [`freeze`]; `EINVAL` when the file system is not frozen.
pub fn thaw(mount_point: &File) -> io::Result<()> {
    // SAFETY: the argument is ignored by the kernel; the descriptor is open for the whole call.
    unsafe { raw_fithaw(mount_point.as_raw_fd(), 0) }?;
    Ok(())
}

/// Longest attribute that is read; a longer one is none of ours.
const ATTRIBUTE_BYTES: usize = 64;

/// Gives an open file an extended attribute; `EOPNOTSUPP` where its file system has none.
pub fn set_attribute(file: &File, name: &CStr, value: &[u8]) -> io::Result<()> {
    // SAFETY: the kernel reads a string that ends with a zero and `value.len()` bytes from live references.
    let code = unsafe { fsetxattr(file.as_raw_fd(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) };
    if code == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// An extended attribute of an open file; `None` when it, or any, is not there, and nothing of one that is too long.
pub fn attribute(file: &File, name: &CStr) -> io::Result<Option<Vec<u8>>> {
    let mut value = vec![0_u8; ATTRIBUTE_BYTES];
    // SAFETY: the kernel writes at most `value.len()` bytes to a live exclusive reference of that length.
    let length = unsafe { fgetxattr(file.as_raw_fd(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
    if let Ok(length) = usize::try_from(length) {
        value.truncate(length);
        return Ok(Some(value));
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(ENODATA | EOPNOTSUPP) => Ok(None),
        Some(ERANGE) => Ok(Some(Vec::new())),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_have_the_kernels_sizes() {
        assert_eq!(size_of::<LoopInfo64>(), 232);
        assert_eq!(size_of::<LoopConfig>(), 304);
    }

    #[test]
    fn a_plain_file_is_no_loop_device() {
        let file = tempfile::tempfile().expect("temporary file");
        assert!(loop_target(&file).is_err());
        assert!(block_size_bytes(&file).is_err());
        assert!(loop_clear(&file).is_err());
        assert!(zvol_name(&file).is_err());
    }
}
