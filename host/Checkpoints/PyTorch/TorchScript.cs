using Merge.Sdk;

namespace Merge.Checkpoints.PyTorch;

/// <summary>What <c>torch.jit.save</c> writes: an archive as of <c>torch.save</c>, with the model's code in it.</summary>
internal static class TorchScript
{
    /// <summary>Whether an archive's member is a program's source, which only such an archive has; it is compressed there.</summary>
    public static bool IsCode(string member) => member.Split('/') is [_, "code", _, ..];

    public static MergeException Refused(string path) => new(new Diagnostic("it is a TorchScript archive: a program, not a state dict")
    {
        Where = path,
        Fix = "Load it in Python with torch.jit.load and save its weights: torch.save(dict(m.state_dict()), …).",
    });
}
