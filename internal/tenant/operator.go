package tenant

import "github.com/google/uuid"

// OperatorID identifies the caller when a command works on a database in its own process; the log
// of commits has it. Anyone who can open the database's file can do everything anyway, so this
// needs no application, and no server accepts this id.
var OperatorID = uuid.MustParse("6c696365-6e73-4f72-8000-636f6d6d616e")

// OperatorName is the name that the log shows for OperatorID, which no directory has.
const OperatorName = "licensor (command line)"
