//! Contact lists and their members (csp-presence 2).

use crate::row::{Row, values};
use crate::tx::dialects;
use crate::{StoreError, Tx};
use hamlet_model::{ContactListId, UserId};

/// A contact list without its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactList {
    /// Its address, which names its owner.
    pub id: ContactListId,
    /// The property DisplayName, if it has been set.
    pub display_name: Option<String>,
    /// The property DoNotNotify.
    pub do_not_notify: bool,
    /// The property Default: at most one list of an owner has it.
    pub default: bool,
}

/// A member of a contact list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// The name that the owner gave him.
    pub nickname: Option<String>,
}

fn contact_list(row: &Row<'_>) -> Result<ContactList, StoreError> {
    Ok(ContactList {
        id: row.contact_list(0)?,
        display_name: row.opt_text(1)?.map(str::to_owned),
        do_not_notify: row.flag(2)?,
        default: row.flag(3)?,
    })
}

fn count(row: &Row<'_>) -> Result<usize, StoreError> {
    row.number(0)
}

impl Tx<'_> {
    /// The lists of a user, oldest first.
    pub fn contact_lists(&mut self, owner: &UserId) -> Result<Vec<ContactList>, StoreError> {
        self.query(
            "SELECT id, display_name, do_not_notify, is_default FROM contact_list
             WHERE owner = ?1 ORDER BY seq",
            values![owner],
            contact_list,
        )
    }

    /// One list.
    pub fn contact_list(&mut self, id: &ContactListId) -> Result<Option<ContactList>, StoreError> {
        self.query_one(
            "SELECT id, display_name, do_not_notify, is_default FROM contact_list WHERE id = ?1",
            values![id],
            contact_list,
        )
    }

    /// Makes an empty list; `false` when it exists, and stays as it is. As the default list
    /// it takes the place of another.
    pub fn create_contact_list(&mut self, list: &ContactList) -> Result<bool, StoreError> {
        let made = self.execute(
            "INSERT INTO contact_list (id, owner, display_name, do_not_notify, is_default)
             VALUES (?1, ?2, ?3, ?4, 0) ON CONFLICT (id) DO NOTHING",
            values![
                &list.id,
                &list.id.owner(),
                list.display_name.as_deref(),
                list.do_not_notify
            ],
        )?;
        if made == 1 && list.default {
            self.set_default_list(&list.id)?;
        }
        Ok(made == 1)
    }

    /// Removes a list with its members, auto-subscriptions and attribute list; `false` when there is none.
    /// Subscriptions made through it stay, and no other list becomes the default.
    pub fn delete_contact_list(&mut self, id: &ContactListId) -> Result<bool, StoreError> {
        let deleted = self.execute("DELETE FROM contact_list WHERE id = ?1", values![id])?;
        self.execute(
            "DELETE FROM attribute_list WHERE owner = ?1 AND target = ?2",
            values![&id.owner(), id],
        )?;
        Ok(deleted == 1)
    }

    /// Makes a list the default one of its owner in place of any other; `false` when there
    /// is no such list.
    pub fn set_default_list(&mut self, id: &ContactListId) -> Result<bool, StoreError> {
        self.execute(
            "UPDATE contact_list SET is_default = 0
             WHERE owner = ?1 AND is_default = 1 AND id <> ?2
                 AND EXISTS (SELECT 1 FROM contact_list WHERE id = ?2)",
            values![&id.owner(), id],
        )?;
        let changed = self.execute(
            "UPDATE contact_list SET is_default = 1 WHERE id = ?1",
            values![id],
        )?;
        Ok(changed == 1)
    }

    /// Sets DisplayName and DoNotNotify, and makes the list the default one if
    /// `list.default`; otherwise that property stays as it is (csp-presence 2.3). `false`
    /// when there is no such list.
    pub fn set_list_properties(&mut self, list: &ContactList) -> Result<bool, StoreError> {
        let changed = self.execute(
            "UPDATE contact_list SET display_name = ?2, do_not_notify = ?3 WHERE id = ?1",
            values![&list.id, list.display_name.as_deref(), list.do_not_notify],
        )?;
        if changed == 1 && list.default {
            self.set_default_list(&list.id)?;
        }
        Ok(changed == 1)
    }

    /// The members of a list, in the order in which they were added.
    pub fn members(&mut self, id: &ContactListId) -> Result<Vec<Member>, StoreError> {
        self.query(
            "SELECT user_id, nickname FROM contact WHERE list = ?1 ORDER BY seq",
            values![id],
            |row| {
                Ok(Member {
                    user: row.user(0)?,
                    nickname: row.opt_text(1)?.map(str::to_owned),
                })
            },
        )
    }

    /// Adds a member, or replaces the nickname of one.
    ///
    /// # Errors
    /// [`StoreError::Constraint`] when there is no such list.
    pub fn put_member(&mut self, id: &ContactListId, member: &Member) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO contact (list, user_id, nickname) VALUES (?1, ?2, ?3)
             ON CONFLICT (list, user_id) DO UPDATE SET nickname = excluded.nickname",
            values![id, &member.user, member.nickname.as_deref()],
        )?;
        Ok(())
    }

    /// Removes a member; `false` when he was none.
    pub fn remove_member(&mut self, id: &ContactListId, user: &UserId) -> Result<bool, StoreError> {
        let removed = self.execute(
            "DELETE FROM contact WHERE list = ?1 AND user_id = ?2",
            values![id, user],
        )?;
        Ok(removed == 1)
    }

    /// How many members a list has.
    pub fn count_members(&mut self, id: &ContactListId) -> Result<usize, StoreError> {
        let members = self.query_one(
            "SELECT count(*) FROM contact WHERE list = ?1",
            values![id],
            count,
        )?;
        Ok(members.unwrap_or(0))
    }

    /// How many members all lists of a user have together; one in two lists counts twice.
    pub fn count_contacts(&mut self, owner: &UserId) -> Result<usize, StoreError> {
        let contacts = self.query_one(
            "SELECT count(*) FROM contact WHERE list IN
                 (SELECT id FROM contact_list WHERE owner = ?1)",
            values![owner],
            count,
        )?;
        Ok(contacts.unwrap_or(0))
    }

    /// Whether `member` is in any list of `owner`.
    pub fn in_lists_of(&mut self, owner: &UserId, member: &UserId) -> Result<bool, StoreError> {
        // From the owner's few lists to the member: a popular user may be in very many.
        let sql = dialects(
            "SELECT 1 FROM contact_list CROSS JOIN contact ON contact.list = contact_list.id
             WHERE contact_list.owner = ?1 AND contact.user_id = ?2 LIMIT 1",
            "SELECT 1::bigint FROM contact WHERE user_id = ?2 AND list IN
                 (SELECT id FROM contact_list WHERE owner = ?1) LIMIT 1",
        );
        let found = self.query_one(sql, values![owner, member], |row| row.int(0))?;
        Ok(found.is_some())
    }

    /// The lists that a user is in, whosever they are.
    pub fn lists_with(&mut self, member: &UserId) -> Result<Vec<ContactListId>, StoreError> {
        self.query(
            "SELECT list FROM contact WHERE user_id = ?1 ORDER BY list",
            values![member],
            |row| row.contact_list(0),
        )
    }

    /// Everybody who is in a list of `owner`, each once.
    pub fn contacts_of(&mut self, owner: &UserId) -> Result<Vec<UserId>, StoreError> {
        self.query(
            "SELECT DISTINCT user_id FROM contact WHERE list IN
                 (SELECT id FROM contact_list WHERE owner = ?1) ORDER BY user_id",
            values![owner],
            |row| row.user(0),
        )
    }
}
