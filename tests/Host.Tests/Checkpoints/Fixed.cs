using FsCheck;

namespace Host.Tests.Checkpoints;

/// <summary>Properties are checked on the same inputs every time.</summary>
internal static class Fixed
{
    public static Config Replay(int tests = 200) =>
        Config.QuickThrowOnFailure.WithMaxTest(tests).WithReplay(20260101, 7);
}
