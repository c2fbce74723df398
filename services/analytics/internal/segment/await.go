package segment

import "context"

// Await returns when the members of followed segments answer to all definitions in the warehouse and all changes of facts that were told
// before the call; at once in a process that doesn't follow, since another does. Errors: only those of the context.
func (s *Service) Await(ctx context.Context) error {
	return s.follower.rounds.Wait(ctx, s.follower.rouse)
}

// counted is a step that is counted, so that it can be waited for.
func (f *follower) counted(ctx context.Context) error {
	round := f.rounds.Begin()
	err := f.step(ctx)
	if err == nil {
		f.rounds.Done(round)
	}
	return err
}
