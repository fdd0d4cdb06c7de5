using EndToEnd.Tests.Support;

namespace EndToEnd.Tests;

public sealed class LauncherTests
{
    [Fact]
    public void The_launcher_works_from_another_folder_and_through_a_link()
    {
        using var scratch = new Scratch();
        File.CreateSymbolicLink(scratch["link"], Path.Combine(MergeProcess.Root, "merge"));
        foreach (var launcher in new[] { Path.Combine(MergeProcess.Root, "merge"), scratch["link"] })
        {
            using var process = MergeProcess.Start(launcher, scratch["."], [], "--version");
            // It may have to build first.
            var outcome = process.Wait(TimeSpan.FromMinutes(5));
            Assert.True(outcome.ExitCode == 0, outcome.ToString());
            Assert.Matches(@"^\d+\.\d+\.\d+", outcome.Out);
        }
    }
}
