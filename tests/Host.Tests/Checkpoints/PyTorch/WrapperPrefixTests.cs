using Merge.Checkpoints.PyTorch;

namespace Host.Tests.Checkpoints.PyTorch;

public class WrapperPrefixTests
{
    [Theory]
    [InlineData("module.", "module.a module.b")]
    [InlineData("_orig_mod.module.", "_orig_mod.module.a _orig_mod.module.b")]
    [InlineData("module._orig_mod.module.", "module._orig_mod.module.a.weight")]
    // What only some have is a part of the model's own names.
    [InlineData("_orig_mod.", "_orig_mod.module.a _orig_mod.b")]
    [InlineData("", "module.a b")]
    [InlineData("", "modules.a")]
    [InlineData("", "")]
    public void All_wrappers_are_found_that_every_name_has(string expected, string names) =>
        Assert.Equal(expected, WrapperPrefix.Of(names.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
}
