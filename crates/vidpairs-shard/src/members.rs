//! Makes the tar members of a record, and checks it before.

use std::borrow::Cow;

use vidpairs_types::{EncodedRecord, Role};

use crate::checksum;
use crate::error::Unfit;
use crate::record::MAX_RECORD_BYTES;
use crate::ustar::{self, BLOCK_BYTES};

/// Member to be written to the tar.
pub(crate) struct TarMember<'a> {
    pub name: String,
    pub header: [u8; BLOCK_BYTES],
    pub bytes: Cow<'a, [u8]>,
}

impl<'a> TarMember<'a> {
    pub fn new(name: String, bytes: Cow<'a, [u8]>) -> Result<Self, Unfit> {
        let size = bytes.len() as u64;
        match ustar::header(&name, size) {
            Some(header) => Ok(Self {
                name,
                header,
                bytes,
            }),
            None => Err(Unfit::Header {
                member: name,
                bytes: size,
            }),
        }
    }
}

/// Checks `record` and returns its members, images first.
pub(crate) fn tar_members(record: &EncodedRecord) -> Result<Vec<TarMember<'_>>, Unfit> {
    check_record(record)?;
    let key = &record.meta.key;
    let images = record.members.iter().map(|member| {
        let name = format!("{key}.{}.{}", member.role.name(), member.extension);
        (name, Cow::from(&*member.bytes))
    });
    let json = (format!("{key}.json"), json_of(record)?.into());
    let members: Vec<(String, Cow<'_, [u8]>)> = images.chain([json]).collect();
    let blocks = members
        .iter()
        .map(|(_, bytes)| bytes.len().div_ceil(BLOCK_BYTES) + 1);
    let (bytes, limit) = (
        (blocks.sum::<usize>() * BLOCK_BYTES) as u64,
        MAX_RECORD_BYTES,
    );
    if bytes > limit {
        return Err(Unfit::TooLarge { bytes, limit });
    }
    members
        .into_iter()
        .map(|(name, bytes)| TarMember::new(name, bytes))
        .collect()
}

fn check_record(record: &EncodedRecord) -> Result<(), Unfit> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let key = record.meta.key.as_bytes();
    if !(1..=64).contains(&key.len()) || !key.iter().all(|&byte| is_plain(byte)) {
        return Err(Unfit::Key);
    }
    let members: Vec<Role> = record.members.iter().map(|member| member.role).collect();
    let views: Vec<Role> = record.meta.views().map(|(role, _)| role).collect();
    if members != views {
        let names = |roles: &[Role]| roles.iter().map(|role| role.name()).collect::<Vec<_>>();
        return Err(Unfit::Members {
            members: names(&members).join(", "),
            views: names(&views).join(", "),
        });
    }
    for (member, (role, view)) in record.members.iter().zip(record.meta.views()) {
        let (role, found, stated) = (role.name(), crc32fast::hash(&member.bytes), view.crc32);
        if found != stated {
            return Err(Unfit::Crc32 {
                role,
                found,
                stated,
            });
        }
        let sides = view.box_xywh.map(<[f64; 4]>::from);
        if !sides.is_none_or(|sides| sides.into_iter().all(f64::is_finite)) {
            return Err(Unfit::Box { role });
        }
    }
    Ok(())
}

pub(crate) fn json_of(record: &EncodedRecord) -> Result<Vec<u8>, Unfit> {
    serde_json::to_vec(&record.meta)
        .map(checksum::with_json_crc32)
        .map_err(Unfit::Json)
}
