namespace Shared.Library;

public class AddedInVersion2 : Shared.Base.Root;
