package tenant

// If executes a command only if a condition still holds for the image that the command is based on.
// Other commands may have been executed since the caller has read an image.
type If struct {
	Holds func(*Image) bool
	Then  Command
}

func (cmd If) name() string { return cmd.Then.name() }

func (cmd If) run(c *change) error {
	if !cmd.Holds(c.base) {
		return &CommandError{
			Kind: ProblemChanged, Message: "The object was modified by another request. Read it again and retry.",
		}
	}
	return cmd.Then.run(c)
}
