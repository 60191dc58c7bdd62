package tenant

// If carries out a command only while something holds of the image that it is made of. Between a
// caller's look at an image and its command others may have been carried out.
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
